import { useRef } from "react";
import { Link, useParams } from "react-router";
import { Avatar } from "../components/Avatar";
import { useActing } from "../components/acting";
import { ButtonLink } from "../components/Button";
import { Countdown, useIsPast } from "../components/Clock";
import { CrudActions } from "../components/CrudActions";
import { CrudCard } from "../components/CrudCard";
import { ReplyForm } from "../components/CrudForm";
import { Feed } from "../components/Feed";
import { Empty, PagedList } from "../components/List";
import { PageHead } from "../components/PageHead";
import { RichText } from "../components/RichText";
import { type ListedCrud, useCrud } from "../queries/activities";
import { useMember } from "../queries/session";
import { profileAddress } from "../text/addresses";
import { hasCode } from "../text/errors";
import { exactTime, shortTime } from "../text/time";
import "./CrudPage.css";

/** A crud by itself, what it replies to, and the replies to it. */
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
        <Empty title="Gone, and forgotten">
          <p>
            {crud?.deleting
              ? "You let it go, and everything that hung on it."
              : "This crud has expired, was deleted, or never was. Nobody here can tell which."}
          </p>
          <ButtonLink to="/">See what is still alive</ButtonLink>
        </Empty>
      ) : (
        <PagedList query={{ ...query, hasNextPage: false }}>
          {crud && (
            <>
              {crud.reply_to_activity_uuid && <Parent uuid={crud.reply_to_activity_uuid} />}
              <TheCrud key={crud.uuid} crud={crud} />
              <section aria-label="Replies">
                <Feed
                  query={query}
                  empty={
                    <Empty title="No replies yet">
                      <p>There is still some time.</p>
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

function TheCrud({ crud }: { crud: ListedCrud }) {
  const member = useMember();
  const acting = useActing();
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
            {" · gone "}
            <time dateTime={crud.expires_at} title={exactTime(crud.expires_at)}>
              {shortTime(crud.expires_at)}
            </time>
          </>
        )}
      </p>
      <CrudActions
        crud={crud}
        onReply={() => acting("to reply", () => form.current?.querySelector("textarea")?.focus())}
      />
      {member !== null && (
        <div ref={form}>
          <ReplyForm to={crud} />
        </div>
      )}
    </article>
  );
}
