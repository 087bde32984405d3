import { useQueryClient } from "@tanstack/react-query";
import { type MouseEvent, useEffect, useState } from "react";
import { Link, useNavigate } from "react-router";
import { forgetCrud, type ListedCrud } from "../queries/activities";
import { crudAddress, profileAddress } from "../text/addresses";
import { Avatar } from "./Avatar";
import { Countdown, Since, useIsPast } from "./Clock";
import { CrudActions } from "./CrudActions";
import { ReplyForm } from "./CrudForm";
import { Dialog } from "./Dialog";
import { Icon } from "./Icon";
import { RichText } from "./RichText";
import "./CrudCard.css";

/** Milliseconds that an expired crud takes to fade (CrudCard.css has the same). */
const FADES = 700;

/** A crud in a list: who, how long still, what, and what one can do about it. */
export function CrudCard({ crud }: { crud: ListedCrud }) {
  const { isFading, isOver } = useFading(crud);
  const [isReplying, setReplying] = useState(false);
  const navigate = useNavigate();
  const address = crudAddress(crud);
  if (isOver || crud.deleting) {
    return null;
  }
  const open = (event: MouseEvent) => {
    if (!crud.pending && isPlain(event)) {
      void navigate(address);
    }
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the time is a link to the same address.
    <article
      className={`crud ${isFading ? "crud-fading" : ""} ${crud.pending ? "crud-pending" : ""}`}
      aria-label={`Crud by ${crud.display_name}`}
      aria-busy={crud.pending}
      onClick={open}
    >
      {crud.reposted_by && (
        <p className="crud-reposted">
          <Icon name="repost" />
          <Link to={`/@${crud.reposted_by}`}>Reposted by @{crud.reposted_by}</Link>
        </p>
      )}
      <Link className="crud-avatar" to={profileAddress(crud)} tabIndex={-1} aria-hidden="true">
        <Avatar person={crud} />
      </Link>
      <div className="crud-head">
        <div className="crud-who">
          <Link className="crud-name" to={profileAddress(crud)}>
            <bdi>{crud.display_name}</bdi>
          </Link>
          <span className="crud-handle">
            <span>@{crud.handle}</span>
            <span aria-hidden="true">&nbsp;·&nbsp;</span>
            {crud.pending ? (
              "sending…"
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
        <RichText text={crud.message} />
        {!crud.pending && <CrudActions crud={crud} onReply={() => setReplying(true)} />}
      </div>
      {isReplying && (
        <Dialog title={`Reply to ${crud.display_name}`} onClose={() => setReplying(false)}>
          <blockquote className="crud-quoted">
            <RichText text={crud.message} />
          </blockquote>
          <ReplyForm to={crud} onDone={() => setReplying(false)} autoFocus />
        </Dialog>
      )}
    </article>
  );
}

/** Let a crud fade at its instant, then take it out of every list. */
function useFading(crud: ListedCrud): { isFading: boolean; isOver: boolean } {
  const client = useQueryClient();
  const isFading = useIsPast(crud.expires_at);
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    if (!isFading) {
      return;
    }
    const timer = setTimeout(() => {
      setOver(true);
      forgetCrud(client, crud);
    }, FADES);
    return () => clearTimeout(timer);
  }, [isFading, client, crud]);
  return { isFading, isOver };
}

/** Whether a click was on the card itself: not on a control in it, nor the end of a selection. */
function isPlain(event: MouseEvent): boolean {
  const target = event.target;
  return (
    target instanceof Element &&
    event.currentTarget.contains(target) &&
    target.closest("a, button, dialog, form") === null &&
    getSelection()?.isCollapsed !== false
  );
}
