import { useQueryClient } from "@tanstack/react-query";
import { type MouseEvent, memo, useEffect, useState } from "react";
import { Link, useNavigate } from "react-router";
import { t } from "../language";
import { removeCrud } from "../queries/feedCache";
import type { ListedCrud } from "../queries/feeds";
import { observe } from "../telemetry/trace";
import { crudAddress, profileAddress, searchAddress } from "../text/addresses";
import { Avatar } from "./Avatar";
import { Countdown, Since } from "./Clock";
import { ComposerSkeleton } from "./ComposerSkeleton";
import { CrudActions } from "./CrudActions";
import { Dialog } from "./Dialog";
import { Further } from "./Further";
import { useFading, useFadingBox } from "./fading";
import { Icon } from "./Icon";
import { LinkPreview } from "./LinkPreview";
import { Pictures } from "./Pictures";
import { RichText } from "./RichText";
import "./CrudCard.css";

/** A crud in a list. */
export const CrudCard = memo(function CrudCard({ crud }: { crud: ListedCrud }) {
  const [isReplying, setReplying] = useState(false);
  const { isFading, isOver } = useCrudFading(crud, isReplying);
  return (
    <>
      {!isOver && !crud.deleting && (
        <Card crud={crud} isFading={isFading} onReply={() => setReplying(true)} />
      )}
      {isReplying && (
        <Dialog title={t.composer.reply(crud.display_name)} onClose={() => setReplying(false)}>
          {isFading && (
            <p className="crud-late" role="alert">
              {t.crud.justExpired}
            </p>
          )}
          <blockquote className="crud-quoted">
            <RichText text={crud.message} />
          </blockquote>
          <Further
            name="ReplyForm"
            fallback={<ComposerSkeleton />}
            to={crud}
            onDone={() => setReplying(false)}
          />
        </Dialog>
      )}
    </>
  );
});

function Card({
  crud,
  isFading,
  onReply,
}: {
  crud: ListedCrud;
  isFading: boolean;
  onReply: () => void;
}) {
  const navigate = useNavigate();
  const article = useFadingBox<HTMLElement>(isFading);
  const address = crudAddress(crud);
  const { uuid, arrived } = crud;
  useEffect(() => {
    if (arrived) {
      observe((to) => to.showCrud(uuid));
    }
  }, [uuid, arrived]);
  const state = isFading
    ? "fading"
    : crud.pending
      ? "pending"
      : crud.arrived
        ? "arriving"
        : "still";
  const open = (event: MouseEvent) => {
    if (!crud.pending && isPlain(event)) {
      void navigate(address);
    }
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the time is a link to the same address.
    <article
      ref={article}
      className={`crud crud-${state}`}
      aria-label={t.crud.by(crud.display_name)}
      aria-busy={crud.pending}
      onClick={open}
    >
      {crud.reposted_by && (
        <p className="crud-reposted">
          <Icon name="repost" />
          <Link to={`/@${crud.reposted_by}`}>
            {t.crud.reposted(<bdi>{crud.reposted_by_name ?? `@${crud.reposted_by}`}</bdi>)}
          </Link>
        </p>
      )}
      {crud.followed_tag && (
        <p className="crud-reposted crud-for-tag">
          <Link to={searchAddress(`#${crud.followed_tag}`)}>
            {t.crud.forTag(<bdi>#{crud.followed_tag}</bdi>)}
          </Link>
        </p>
      )}
      <Link className="crud-avatar" to={profileAddress(crud)} tabIndex={-1} aria-hidden="true">
        <Avatar person={crud} />
      </Link>
      <div className="crud-head">
        <div className="crud-who">
          <Link className="crud-name" dir="auto" to={profileAddress(crud)}>
            <bdi>{crud.display_name}</bdi>
          </Link>
          <span className="crud-handle">
            <span>@{crud.handle}</span>
            <span aria-hidden="true">&nbsp;·&nbsp;</span>
            {crud.pending ? (
              t.crud.sending
            ) : (
              <Link className="crud-time" to={address}>
                <Since time={crud.created_at} />
              </Link>
            )}
          </span>
        </div>
        {crud.expires_at !== null && <Countdown from={crud.created_at} to={crud.expires_at} />}
      </div>
      <div className="crud-body">
        <ReplyingTo crud={crud} />
        <RichText text={withoutGaps(crud.message)} />
        <Pictures pictures={crud.pictures} />
        {crud.preview && <LinkPreview preview={crud.preview} />}
        {!crud.pending && <CrudActions crud={crud} onReply={onReply} />}
      </div>
    </article>
  );
}

/** Says whom a reply replies to. */
export function ReplyingTo({ crud: { reply_to_handle: handle } }: { crud: ListedCrud }) {
  return handle === undefined ? null : (
    <p className="crud-replying">
      {t.crud.replyingTo(<Link to={profileAddress({ handle })}>@{handle}</Link>)}
    </p>
  );
}

/** Reduce several blank lines to one. The crud's own page shows all of them. */
function withoutGaps(text: string): string {
  return text.replace(/\n(?:[^\S\n]*\n){2,}/g, "\n\n");
}

/**
 * Let a crud fade when it expires, then remove it from every list. A reply that is being written
 * holds it. A crud that had expired before it was first rendered is not shown at all.
 */
function useCrudFading(crud: ListedCrud, isHeld: boolean) {
  const client = useQueryClient();
  const { isFading, isOver } = useFading(crud.expires_at);
  useEffect(() => {
    if (isOver && !isHeld) {
      removeCrud(client, crud);
    }
  }, [isOver, isHeld, client, crud]);
  return { isFading, isOver };
}

/** Whether a click was on the card itself, not on a control and not the end of a selection. */
function isPlain(event: MouseEvent): boolean {
  const target = event.target;
  return (
    target instanceof Element &&
    event.currentTarget.contains(target) &&
    target.closest("a, button, dialog, form") === null &&
    getSelection()?.isCollapsed !== false
  );
}
