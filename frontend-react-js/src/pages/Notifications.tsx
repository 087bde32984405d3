import { type ReactNode, useEffect, useId, useState } from "react";
import { Link, useSearchParams } from "react-router";
import type { NotificationGroup, ShortUser } from "../api/wire";
import { Avatar } from "../components/Avatar";
import { IconButton } from "../components/Button";
import { Countdown, Since, useIsPast } from "../components/Clock";
import { Icon, type IconName } from "../components/Icon";
import { Empty, PagedList } from "../components/List";
import { MembersOnly } from "../components/MembersOnly";
import { PageHead } from "../components/PageHead";
import { Tabs } from "../components/Tabs";
import { type Feed, useNotifications, useRemoveNotification } from "../queries/notifications";
import { crudAddress, profileAddress } from "../text/addresses";
import "./Notifications.css";

const ADDRESSES: Record<Feed, string> = {
  all: "/notifications",
  mentions: "/notifications?feed=mentions",
};

/** What other members did with the member's cruds, the newest first. */
export function Notifications() {
  const [search] = useSearchParams();
  const feed = search.get("feed") === "mentions" ? "mentions" : "all";
  return (
    <>
      <PageHead title="Notifications" />
      <MembersOnly why="to see your notifications">
        <Tabs
          label="Notifications"
          current={ADDRESSES[feed]}
          tabs={[
            ["All", ADDRESSES.all],
            ["Mentions", ADDRESSES.mentions],
          ]}
        />
        <List key={feed} feed={feed} />
      </MembersOnly>
    </>
  );
}

function List({ feed }: { feed: Feed }) {
  const { query, isUnread } = useNotifications(feed);
  const groups = query.data?.pages.flatMap((part) => part.body) ?? [];
  return (
    <PagedList query={query}>
      <ul>
        {groups.map((group) => (
          <Group
            key={`${group.kind} ${group.activity.uuid}`}
            group={group}
            isUnread={isUnread(group)}
          />
        ))}
      </ul>
      {groups.length === 0 &&
        (feed === "all" ? (
          <Empty title="No notifications yet">
            <p>Replies, mentions, likes and reposts will show up here.</p>
          </Empty>
        ) : (
          <Empty title="No mentions yet">
            <p>Replies to you and cruds with your handle will show up here.</p>
          </Empty>
        ))}
    </PagedList>
  );
}

const ICONS: Record<NotificationGroup["kind"], IconName> = {
  like: "heart",
  repost: "repost",
  reply: "reply",
  mention: "pen",
};

function action({ kind, activity }: NotificationGroup): string {
  switch (kind) {
    case "reply":
      return "replied to you";
    case "mention":
      return "mentioned you";
    default:
      return `${kind === "like" ? "liked" : "reposted"} your ${
        activity.reply_to_activity_uuid === null ? "crud" : "reply"
      }`;
  }
}

/** The largest number of pictures in a row. */
const PICTURES = 5;

function Group({ group, isUnread }: { group: NotificationGroup; isUnread: boolean }) {
  const { kind, activity, actors, actors_count } = group;
  const remove = useRemoveNotification();
  const isGone = useIsPast(activity.expires_at);
  const [isExpanded, setExpanded] = useState(false);
  const id = useId();
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is removed once.
  useEffect(() => {
    if (isGone) {
      remove(group);
    }
  }, [isGone]);
  if (isGone) {
    return null;
  }
  return (
    <li className={`note note-${kind} ${isUnread ? "note-unread" : ""}`}>
      <span className="note-icon">
        <Icon name={ICONS[kind]} filled={kind === "like"} />
      </span>
      <div className="note-body">
        <div className="note-people">
          {actors.slice(0, PICTURES).map((actor) => (
            <Link key={actor.uuid} to={profileAddress(actor)} tabIndex={-1} aria-hidden="true">
              <Avatar person={actor} size="small" />
            </Link>
          ))}
          {actors_count > 1 && (
            <IconButton
              label={isExpanded ? "Show less" : `Show all ${actors_count} people`}
              icon={isExpanded ? "less" : "more"}
              aria-expanded={isExpanded}
              aria-controls={isExpanded ? id : undefined}
              onClick={() => setExpanded(!isExpanded)}
            />
          )}
        </div>
        <p>
          {isUnread && <span className="unseen">Unread: </span>}
          <Names actors={actors} count={actors_count} /> {action(group)} ·{" "}
          <Since time={group.created_at} />
        </p>
        <Link className="note-what" dir="auto" to={crudAddress(activity)}>
          {activity.message}
        </Link>
        {isExpanded && (
          <ul className="note-actors" id={id} aria-label="People">
            {actors.map((actor) => (
              <li key={actor.uuid}>
                <Link to={profileAddress(actor)}>
                  <Avatar person={actor} size="small" />
                  <span className="note-actor">
                    <b>
                      <bdi>{actor.display_name}</bdi>
                    </b>
                    <span>@{actor.handle}</span>
                  </span>
                </Link>
              </li>
            ))}
            {actors_count > actors.length && <li>and {others(actors_count - actors.length)}</li>}
          </ul>
        )}
      </div>
      {activity.expires_at !== null && (
        <Countdown from={activity.created_at} to={activity.expires_at} />
      )}
    </li>
  );
}

/** "Gus", "Gus and Ravi", "Gus, Ravi and 7 others". */
function Names({ actors, count }: { actors: readonly ShortUser[]; count: number }): ReactNode {
  const [first, second] = actors;
  return (
    <>
      {first && <Name person={first} />}
      {second && (
        <>
          {count === 2 ? " and " : ", "}
          <Name person={second} />
        </>
      )}
      {count > 2 && ` and ${others(count - 2)}`}
    </>
  );
}

function Name({ person }: { person: ShortUser }) {
  return (
    <Link className="crud-name" dir="auto" to={profileAddress(person)}>
      <bdi>{person.display_name}</bdi>
    </Link>
  );
}

function others(count: number): string {
  return count === 1 ? "1 other" : `${count} others`;
}
