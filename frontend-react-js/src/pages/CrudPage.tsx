import { useEffect, useRef, useState } from "react";
import { Link, useParams } from "react-router";
import { Avatar } from "../components/Avatar";
import { Button, ButtonLink } from "../components/Button";
import { Countdown, useIsPast } from "../components/Clock";
import { ComposerSkeleton } from "../components/ComposerSkeleton";
import { CrudActions } from "../components/CrudActions";
import { CrudCard, ReplyingTo } from "../components/CrudCard";
import { Feed, rows } from "../components/Feed";
import { Further } from "../components/Further";
import { LinkPreview } from "../components/LinkPreview";
import { Empty, More, PagedList } from "../components/List";
import { useMemberAction } from "../components/memberAction";
import { PageHead, removeServedHead } from "../components/PageHead";
import { Pictures } from "../components/Pictures";
import { ProblemNote } from "../components/Problem";
import { RichText } from "../components/RichText";
import { t } from "../language";
import { useCrud, useReplies } from "../queries/activities";
import { type ListedCrud, repliesTo } from "../queries/feeds";
import { useMember } from "../queries/session";
import { crudAddress, profileAddress } from "../text/addresses";
import { hasCode } from "../text/errors";
import { exactTime, shortTime } from "../text/time";
import { crudTitle } from "../text/titles";
import "./CrudPage.css";

/** A single crud in its thread: what it replies to, and the replies to it. */
export function CrudPage({ handle }: { handle: string }) {
  const { uuid = "" } = useParams();
  const query = useCrud(uuid, handle);
  const first = query.data?.pages[0];
  const crud = first?.activity;
  const isPast = useIsPast(crud?.expires_at ?? null);
  const isGone = crud === undefined ? hasCode(query.error, "not_found") : isPast || crud.deleting;
  useEffect(() => {
    if (isGone) {
      removeServedHead();
    }
  }, [isGone]);
  const heading = crud?.reply_to_activity_uuid ? t.thread.reply : t.thread.crud;
  return (
    <>
      <PageHead
        title={heading}
        windowTitle={crud === undefined || isGone ? heading : crudTitle(crud)}
        back="/"
      />
      {isGone ? (
        <Empty title={t.thread.gone}>
          <p>{crud?.deleting ? t.thread.deleted : t.thread.expired}</p>
          <ButtonLink to="/">{t.thread.seeLatest}</ButtonLink>
          <Further name="LateReport" fallback={null} uuid={uuid} handle={handle} />
        </Empty>
      ) : (
        <PagedList query={{ ...query, hasNextPage: false }}>
          {crud && (
            <>
              <Ancestors cruds={first?.ancestors ?? []} />
              <MainCrud key={crud.uuid} crud={crud} />
              <section aria-label={t.thread.replies}>
                <Feed
                  query={query}
                  card={Reply}
                  empty={
                    <Empty title={t.thread.noReplies}>
                      <p>{t.thread.beFirst}</p>
                    </Empty>
                  }
                />
              </section>
            </>
          )}
        </PagedList>
      )}
    </>
  );
}

/** The cruds above a reply in its thread, joined by a line. */
function Ancestors({ cruds }: { cruds: readonly ListedCrud[] }) {
  const [first] = cruds;
  if (first === undefined) {
    return null;
  }
  return (
    <section className="ancestors" aria-label={t.thread.earlier}>
      {first.reply_to_activity_uuid !== null && (
        <Link className="thread-link" to={crudAddress(first)}>
          {t.thread.showEarlier}
        </Link>
      )}
      {cruds.map((crud) => (
        <CrudCard key={crud.uuid} crud={crud} />
      ))}
    </section>
  );
}

/** A reply, and below it the replies to it. */
function Reply({ crud }: { crud: ListedCrud }) {
  const [isOpen, setOpen] = useState(false);
  const query = useReplies(crud.uuid, isOpen);
  const all = query.data && rows(query.data.pages);
  const replies = (isOpen && all) || repliesTo(crud);
  const isComplete = isOpen && all !== undefined;
  const hidden = isComplete ? 0 : crud.replies_count - replies.length;
  const list = useRef<HTMLDivElement>(null);
  const known = useRef(0);
  useEffect(() => {
    // The button is gone: continue with the first reply that has appeared.
    if (isComplete && document.activeElement === document.body) {
      const links = list.current?.querySelectorAll<HTMLElement>(".crud-time");
      links?.[known.current]?.focus({ preventScroll: true });
    }
  }, [isComplete]);
  const open = () => {
    known.current = replies.length;
    setOpen(true);
  };
  const isAnswered = !crud.deleting && (replies.length > 0 || hidden > 0);
  return (
    <div className={isAnswered ? "answered" : undefined}>
      <CrudCard crud={crud} />
      {isAnswered && (
        // biome-ignore lint/a11y/useSemanticElements: a section would be one of many landmarks.
        <div
          className="answers"
          role="group"
          aria-label={t.thread.repliesTo(crud.display_name)}
          ref={list}
        >
          {replies.map((reply) => (
            <div key={reply.uuid}>
              <CrudCard crud={reply} />
              {reply.replies_count > 0 && !reply.deleting && (
                <Link className="thread-link" to={crudAddress(reply)}>
                  {t.thread.showReplies(reply.replies_count)}
                </Link>
              )}
            </div>
          ))}
          {isOpen && query.isError && !all && (
            <ProblemNote error={query.error} retry={() => void query.refetch()} />
          )}
          {hidden > 0 && !query.isError && (
            <Button look="plain" busy={query.isFetching} onClick={open}>
              {query.isFetching ? t.list.loadingMore : t.thread.showMoreReplies(hidden)}
            </Button>
          )}
          {isOpen && query.hasNextPage && <More query={query} />}
        </div>
      )}
    </div>
  );
}

function MainCrud({ crud }: { crud: ListedCrud }) {
  const member = useMember();
  const asMember = useMemberAction();
  const article = useRef<HTMLElement>(null);
  const form = useRef<HTMLDivElement>(null);
  const isReply = crud.reply_to_activity_uuid !== null;
  useEffect(() => {
    // The thread above it is there to scroll up to. A page that is restored has its own position.
    if (isReply && scrollY === 0) {
      article.current?.scrollIntoView();
    }
  }, [isReply]);
  return (
    <article ref={article} className="the-crud" aria-label={t.crud.by(crud.display_name)}>
      <div className="the-crud-head">
        <Link to={profileAddress(crud)} tabIndex={-1} aria-hidden="true">
          <Avatar person={crud} />
        </Link>
        <div className="crud-who">
          <Link className="crud-name" dir="auto" to={profileAddress(crud)}>
            <bdi>{crud.display_name}</bdi>
          </Link>
          <span className="crud-handle">
            <span>@{crud.handle}</span>
          </span>
        </div>
        {crud.expires_at !== null && <Countdown from={crud.created_at} to={crud.expires_at} />}
      </div>
      <ReplyingTo crud={crud} />
      <RichText text={crud.message} />
      <Pictures pictures={crud.pictures} />
      {crud.preview && <LinkPreview preview={crud.preview} />}
      <p className="the-crud-times">
        <time dateTime={crud.created_at} title={exactTime(crud.created_at)}>
          {shortTime(crud.created_at)}
        </time>
        {crud.expires_at !== null && (
          <span>
            {t.thread.expires(
              <time dateTime={crud.expires_at} title={exactTime(crud.expires_at)}>
                {shortTime(crud.expires_at)}
              </time>,
            )}
          </span>
        )}
      </p>
      <CrudActions
        crud={crud}
        onReply={() =>
          asMember(t.signInTo.reply, () => form.current?.querySelector("textarea")?.focus())
        }
      />
      {member !== null && (
        <div ref={form}>
          <Further name="ReplyForm" fallback={<ComposerSkeleton />} to={crud} />
        </div>
      )}
    </article>
  );
}
