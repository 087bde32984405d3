import { useEffect } from "react";
import { Link } from "react-router";
import type { Notification } from "../api/wire";
import { Avatar } from "../components/Avatar";
import { Countdown, Since, useIsPast } from "../components/Clock";
import { Icon, type IconName } from "../components/Icon";
import { Empty, PagedList } from "../components/List";
import { MembersOnly } from "../components/MembersOnly";
import { PageHead } from "../components/PageHead";
import { useNotifications, useRemoveNotification } from "../queries/notifications";
import { useMember } from "../queries/session";
import { conversationAddress, crudAddress, profileAddress } from "../text/addresses";
import "./Notifications.css";

/** What other users did with the member's cruds, the newest first. */
export function Notifications() {
  return (
    <>
      <PageHead title="Notifications" />
      <MembersOnly why="to see your notifications">
        <List />
      </MembersOnly>
    </>
  );
}

function List() {
  const query = useNotifications();
  const notes = query.data?.pages.flatMap((part) => part.body) ?? [];
  return (
    <PagedList query={query}>
      <ul>
        {notes.map((note) => (
          <Note key={note.uuid} note={note} />
        ))}
      </ul>
      {notes.length === 0 && (
        <Empty title="No notifications yet">
          <p>Replies, likes, reposts and mentions will show up here.</p>
        </Empty>
      )}
    </PagedList>
  );
}

const ICONS: Record<Notification["kind"], IconName> = {
  like: "heart",
  repost: "repost",
  reply: "reply",
  mention: "pen",
  message: "mail",
};

// For likes and reposts, the notification's own text says what happened.
const WORDS: Partial<Record<Notification["kind"], string>> = {
  reply: "replied to you",
  mention: "mentioned you",
  message: "sent you a message",
};

function Note({ note }: { note: Notification }) {
  const member = useMember();
  const remove = useRemoveNotification();
  const isGone = useIsPast(note.expires_at);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is removed once.
  useEffect(() => {
    if (isGone) {
      remove(note.uuid);
    }
  }, [isGone]);
  if (isGone) {
    return null;
  }
  const isReaction = note.kind === "like" || note.kind === "repost";
  const author = isReaction ? (member?.handle ?? note.handle) : note.handle;
  return (
    <li className={`note note-${note.kind}`}>
      <span className="note-icon">
        <Icon name={ICONS[note.kind]} filled={note.kind === "like"} />
      </span>
      <Link to={profileAddress(note)} tabIndex={-1} aria-hidden="true">
        <Avatar person={note} size="small" />
      </Link>
      <div className="note-body">
        <p>
          <Link className="crud-name" dir="auto" to={profileAddress(note)}>
            <bdi>{note.display_name}</bdi>
          </Link>{" "}
          {WORDS[note.kind]} <Since time={note.created_at} />
        </p>
        <Link
          className="note-what"
          dir="auto"
          to={
            note.activity_uuid === null
              ? conversationAddress(note)
              : crudAddress({ handle: author, uuid: note.activity_uuid })
          }
        >
          {note.message}
        </Link>
      </div>
      {note.expires_at !== null && <Countdown from={null} to={note.expires_at} />}
    </li>
  );
}
