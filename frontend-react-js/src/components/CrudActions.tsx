import { type MouseEvent, useState } from "react";
import { notify } from "../notices";
import { type ListedCrud, useDelete } from "../queries/activities";
import { useReaction } from "../queries/reactions";
import { useMember } from "../queries/session";
import { crudAddress } from "../text/addresses";
import { useActing } from "./acting";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Icon, type IconName } from "./Icon";
import "./CrudActions.css";

/** Reply, repost, like, share, and for its author: delete. */
export function CrudActions({ crud, onReply }: { crud: ListedCrud; onReply: () => void }) {
  const acting = useActing();
  const member = useMember();
  const like = useReaction("like", crud);
  const repost = useReaction("repost", crud);
  const [isAsked, setAsked] = useState(false);
  return (
    <>
      <div className="actions">
        <Action
          name="Reply"
          icon="reply"
          count={crud.replies_count}
          units={["reply", "replies"]}
          onClick={() => acting("to reply", onReply)}
        />
        <Action
          name="Repost"
          icon="repost"
          count={crud.reposts_count}
          units={["repost", "reposts"]}
          isOn={crud.reposted ?? false}
          onClick={() => acting("to repost", () => repost.mutate(!crud.reposted))}
        />
        <Action
          name="Like"
          icon="heart"
          count={crud.likes_count}
          units={["like", "likes"]}
          isOn={crud.liked ?? false}
          onClick={() => acting("to like it", () => like.mutate(!crud.liked))}
        />
        <Action name="Share" icon="share" onClick={() => void share(crud)} />
        {member?.handle === crud.handle && (
          <Action name="Delete" icon="trash" onClick={() => setAsked(true)} />
        )}
      </div>
      {isAsked && <DeleteDialog crud={crud} onClose={() => setAsked(false)} />}
    </>
  );
}

function Action({
  name,
  icon,
  count,
  units = ["", ""],
  isOn,
  onClick,
}: {
  name: string;
  icon: IconName;
  count?: number;
  /** What is counted: one of it, and several. */
  units?: readonly [string, string];
  isOn?: boolean;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      className={`action action-${icon}`}
      title={name}
      aria-label={count === undefined ? name : `${name}, ${count} ${units[count === 1 ? 0 : 1]}`}
      aria-pressed={isOn}
      onClick={onClick}
    >
      <Icon name={icon} filled={isOn === true && icon === "heart"} />
      {count !== undefined && count > 0 && <span>{compact.format(count)}</span>}
    </button>
  );
}

const compact = new Intl.NumberFormat(undefined, { notation: "compact" });

/** Ask once more, then delete. */
function DeleteDialog({ crud, onClose }: { crud: ListedCrud; onClose: () => void }) {
  const remove = useDelete();
  const confirm = (event: MouseEvent) => {
    const card = event.currentTarget.closest("article");
    const next = card?.nextElementSibling ?? card?.previousElementSibling;
    remove.mutate(crud);
    onClose();
    // The keyboard goes on at what takes its place.
    requestAnimationFrame(() => {
      const place = next?.querySelector<HTMLElement>(".crud-time");
      (place?.isConnected ? place : document.getElementById("main"))?.focus();
    });
  };
  return (
    <Dialog title="Forget it now?" onClose={onClose}>
      <p>It goes at once, with its replies, likes and reposts, and cannot be brought back.</p>
      <div className="dialog-actions">
        <Button look="outlined" onClick={onClose}>
          Keep it
        </Button>
        <Button look="danger" onClick={confirm}>
          Forget it
        </Button>
      </div>
    </Dialog>
  );
}

/** The device's own way to share, where it has one; else the address is copied. */
async function share(crud: ListedCrud): Promise<void> {
  const url = new URL(crudAddress(crud), location.origin).href;
  const data: ShareData = { title: `${crud.display_name} on Cruddur`, url };
  try {
    if (navigator.canShare?.(data)) {
      await navigator.share(data);
      return;
    }
    await navigator.clipboard.writeText(url);
    notify("The link is copied.");
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) {
      notify(`The link could not be copied: ${url}`, "bad");
    }
  }
}
