import type { MouseEvent } from "react";
import { t } from "../language";
import { notify } from "../notices";
import { notifyError } from "../queries/client";
import type { ListedCrud } from "../queries/feeds";
import { useReaction } from "../queries/reactions";
import { useMember } from "../queries/session";
import { crudAddress } from "../text/addresses";
import { compactNumber } from "../text/numbers";
import { loadFurther } from "./Further";
import { Icon, type IconName } from "./Icon";
import { useMemberAction } from "./memberAction";
import type { OpenMenu } from "./openMenu";
import "./CrudActions.css";

/** Reply, repost, like and share; delete for the author, and a menu for other members. */
export function CrudActions({ crud, onReply }: { crud: ListedCrud; onReply: () => void }) {
  const asMember = useMemberAction();
  const member = useMember();
  const like = useReaction("like", crud);
  const repost = useReaction("repost", crud);
  const open = (menu: OpenMenu) =>
    void loadFurther().then(({ openMenu }) => openMenu(menu), notifyError);
  const isOwn = member?.handle === crud.handle;
  return (
    <div className="actions">
      <Action
        name={t.crud.reply}
        icon="reply"
        count={crud.replies_count}
        counted={t.crud.replies}
        onClick={() => asMember(t.signInTo.reply, onReply)}
      />
      <Action
        name={t.crud.repost}
        icon="repost"
        count={crud.reposts_count}
        counted={t.crud.reposts}
        isOn={crud.reposted ?? false}
        onClick={() => asMember(t.signInTo.repost, () => repost.mutate(!crud.reposted))}
      />
      <Action
        name={t.crud.like}
        icon="heart"
        count={crud.likes_count}
        counted={t.crud.likes}
        isOn={crud.liked ?? false}
        onClick={() => asMember(t.signInTo.like, () => like.mutate(!crud.liked))}
      />
      <Action name={t.crud.share} icon="share" onClick={() => void share(crud)} />
      {isOwn && (
        <Action
          name={t.crud.delete}
          icon="trash"
          onClick={({ currentTarget }) =>
            open({ person: crud, deleted: crud, row: currentTarget.closest(".row") })
          }
        />
      )}
      {member && !isOwn && (
        <Action
          name={t.crud.more}
          icon="dots"
          onClick={() => open({ person: crud, subject: { kind: "crud", uuid: crud.uuid } })}
        />
      )}
    </div>
  );
}

function Action({
  name,
  icon,
  count,
  counted = String,
  isOn,
  onClick,
}: {
  name: string;
  icon: IconName;
  count?: number;
  /** The count in words: "3 replies". */
  counted?: (count: number) => string;
  isOn?: boolean;
  onClick: (event: MouseEvent) => void;
}) {
  return (
    <button
      type="button"
      className={`action action-${icon}`}
      title={name}
      aria-label={count === undefined ? name : `${name}, ${counted(count)}`}
      aria-pressed={isOn}
      onClick={onClick}
    >
      <Icon name={icon} filled={isOn === true && icon === "heart"} />
      {count !== undefined && count > 0 && <span>{compactNumber(count)}</span>}
    </button>
  );
}

/** Use the device's share dialog, or copy the address where there is none. */
async function share(crud: ListedCrud): Promise<void> {
  const url = new URL(crudAddress(crud), location.origin).href;
  const data: ShareData = { title: t.crud.shareTitle(crud.display_name), url };
  try {
    if (navigator.canShare?.(data)) {
      await navigator.share(data);
      return;
    }
    await navigator.clipboard.writeText(url);
    notify(t.crud.linkCopied);
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) {
      notify(t.crud.linkNotCopied(url), "bad");
    }
  }
}
