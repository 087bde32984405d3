import { type MouseEvent, useState } from "react";
import { notify } from "../notices";
import { useDelete } from "../queries/activities";
import type { ListedCrud } from "../queries/feeds";
import { useReaction } from "../queries/reactions";
import { useMember } from "../queries/session";
import { crudAddress } from "../text/addresses";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Icon, type IconName } from "./Icon";
import { useMemberAction } from "./memberAction";
import "./CrudActions.css";

/** Reply, repost, like and share; delete for the author. */
export function CrudActions({ crud, onReply }: { crud: ListedCrud; onReply: () => void }) {
  const asMember = useMemberAction();
  const member = useMember();
  const like = useReaction("like", crud);
  const repost = useReaction("repost", crud);
  const [isDeleting, setDeleting] = useState(false);
  return (
    <>
      <div className="actions">
        <Action
          name="Reply"
          icon="reply"
          count={crud.replies_count}
          units={["reply", "replies"]}
          onClick={() => asMember("to reply", onReply)}
        />
        <Action
          name="Repost"
          icon="repost"
          count={crud.reposts_count}
          units={["repost", "reposts"]}
          isOn={crud.reposted ?? false}
          onClick={() => asMember("to repost", () => repost.mutate(!crud.reposted))}
        />
        <Action
          name="Like"
          icon="heart"
          count={crud.likes_count}
          units={["like", "likes"]}
          isOn={crud.liked ?? false}
          onClick={() => asMember("to like it", () => like.mutate(!crud.liked))}
        />
        <Action name="Share" icon="share" onClick={() => void share(crud)} />
        {member?.handle === crud.handle && (
          <Action name="Delete" icon="trash" onClick={() => setDeleting(true)} />
        )}
      </div>
      {isDeleting && <DeleteDialog crud={crud} onClose={() => setDeleting(false)} />}
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
  /** The name of what is counted: singular, plural. */
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

/** Ask for confirmation, then delete. */
function DeleteDialog({ crud, onClose }: { crud: ListedCrud; onClose: () => void }) {
  const remove = useDelete();
  const confirm = (event: MouseEvent) => {
    const row = event.currentTarget.closest(".row");
    const next = row?.nextElementSibling ?? row?.previousElementSibling;
    remove.mutate(crud);
    onClose();
    // Move the keyboard focus to the crud that takes its place.
    requestAnimationFrame(() => {
      const place = next?.querySelector<HTMLElement>(".crud-time");
      (place?.isConnected ? place : document.getElementById("main"))?.focus();
    });
  };
  return (
    <Dialog title="Delete this crud?" onClose={onClose}>
      <p>Its replies, likes and reposts will be deleted too. You can’t undo this.</p>
      <div className="dialog-actions">
        <Button look="outlined" onClick={onClose}>
          Cancel
        </Button>
        <Button look="danger" onClick={confirm}>
          Delete
        </Button>
      </div>
    </Dialog>
  );
}

/** Use the device's share dialog, or copy the address where there is none. */
async function share(crud: ListedCrud): Promise<void> {
  const url = new URL(crudAddress(crud), location.origin).href;
  const data: ShareData = { title: `${crud.display_name} on Cruddur`, url };
  try {
    if (navigator.canShare?.(data)) {
      await navigator.share(data);
      return;
    }
    await navigator.clipboard.writeText(url);
    notify("Link copied");
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) {
      notify(`We couldn’t copy the link: ${url}`, "bad");
    }
  }
}
