import { useRef } from "react";
import { Link, useParams } from "react-router";
import { Avatar } from "../components/Avatar";
import { ButtonLink } from "../components/Button";
import { Countdown, useIsPast } from "../components/Clock";
import { CrudActions } from "../components/CrudActions";
import { CrudCard } from "../components/CrudCard";
import { ReplyForm } from "../components/CrudForm";
import { Feed } from "../components/Feed";
import { Empty, PagedList } from "../components/List";
import { useMemberAction } from "../components/memberAction";
import { PageHead } from "../components/PageHead";
import { RichText } from "../components/RichText";
import { useCrud } from "../queries/activities";
import type { ListedCrud } from "../queries/feeds";
import { useMember } from "../queries/session";
import { profileAddress } from "../text/addresses";
import { hasCode } from "../text/errors";
import { exactTime, shortTime } from "../text/time";
import "./CrudPage.css";

/** A single crud, the crud it replies to, and its replies. */
export function CrudPage({ handle }: { handle: string }) {
  const { uuid = "" } = useParams();
  const query = useCrud(uuid, handle);
  const crud = query.data?.pages[0]?.activity;
  const isPast = useIsPast(crud?.expires_at ?? null);
  const isGone = crud === undefined ? hasCode(query.error, "not_found") : isPast || crud.deleting;
  return (
    <>
      <PageHead title={crud?.reply_to_activity_uuid ? "Reply" : "Crud"} back="/" />
      {isGone ? (
        <Empty title="This crud is gone">
          <p>
            {crud?.deleting
              ? "You deleted it, along with its replies, likes and reposts."
              : "It has expired, was deleted, or never existed."}
          </p>
          <ButtonLink to="/">See the latest cruds</ButtonLink>
        </Empty>
      ) : (
        <PagedList query={{ ...query, hasNextPage: false }}>
          {crud && (
            <>
              {crud.reply_to_activity_uuid && <Parent uuid={crud.reply_to_activity_uuid} />}
              <MainCrud key={crud.uuid} crud={crud} />
              <section aria-label="Replies">
                <Feed
                  query={query}
                  empty={
                    <Empty title="No replies yet">
                      <p>Be the first to reply.</p>
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

function Parent({ uuid }: { uuid: string }) {
  const parent = useCrud(uuid).data?.pages[0]?.activity;
  return parent === undefined ? null : <CrudCard crud={parent} />;
}

function MainCrud({ crud }: { crud: ListedCrud }) {
  const member = useMember();
  const asMember = useMemberAction();
  const form = useRef<HTMLDivElement>(null);
  return (
    <article className="the-crud" aria-label={`Crud by ${crud.display_name}`}>
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
      <RichText text={crud.message} />
      <p className="the-crud-times">
        <time dateTime={crud.created_at} title={exactTime(crud.created_at)}>
          {shortTime(crud.created_at)}
        </time>
        {crud.expires_at !== null && (
          <>
            {" · expires "}
            <time dateTime={crud.expires_at} title={exactTime(crud.expires_at)}>
              {shortTime(crud.expires_at)}
            </time>
          </>
        )}
      </p>
      <CrudActions
        crud={crud}
        onReply={() => asMember("to reply", () => form.current?.querySelector("textarea")?.focus())}
      />
      {member !== null && (
        <div ref={form}>
          <ReplyForm to={crud} />
        </div>
      )}
    </article>
  );
}
