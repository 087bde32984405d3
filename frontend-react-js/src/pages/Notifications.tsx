import { type ReactNode, useEffect, useId, useState } from "react";
import { Link, useSearchParams } from "react-router";
import type { NotificationGroup, ShortUser } from "../api/wire";
import { Avatar } from "../components/Avatar";
import { IconButton } from "../components/Button";
import { Countdown, Since } from "../components/Clock";
import { useFading, useFadingBox } from "../components/fading";
import { Icon, type IconName } from "../components/Icon";
import { Empty, PagedList } from "../components/List";
import { MembersOnly } from "../components/MembersOnly";
import { PageHead } from "../components/PageHead";
import { Tabs } from "../components/Tabs";
import { t } from "../language/further";
import { type Feed, useNotifications, useRemoveNotification } from "../queries/notifications";
import { rowsOf } from "../queries/paging";
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
      <PageHead title={t.notifications.title} />
      <MembersOnly why={t.signInTo.notifications}>
        <Tabs
          label={t.notifications.title}
          current={ADDRESSES[feed]}
          tabs={[
            [t.notifications.all, ADDRESSES.all],
            [t.notifications.mentions, ADDRESSES.mentions],
          ]}
        />
        <List key={feed} feed={feed} />
      </MembersOnly>
    </>
  );
}

function List({ feed }: { feed: Feed }) {
  const { query, isUnread } = useNotifications(feed);
  const groups = rowsOf(query.data);
  return (
    <PagedList query={query}>
      <ul>
        {groups.map((group) => (
          <Group
            key={`${group.kind} ${group.activity?.uuid ?? group.created_at.slice(0, 10)}`}
            group={group}
            isUnread={isUnread(group)}
          />
        ))}
      </ul>
      {groups.length === 0 &&
        (feed === "all" ? (
          <Empty title={t.notifications.empty}>
            <p>{t.notifications.emptyHint}</p>
          </Empty>
        ) : (
          <Empty title={t.notifications.noMentions}>
            <p>{t.notifications.noMentionsHint}</p>
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
  follow: "person",
};

/** Who did what, as a sentence: "Gus and Ravi liked your crud". */
function describe({ kind, activity, actors, actors_count }: NotificationGroup): ReactNode {
  const people = <Names actors={actors} count={actors_count} />;
  const isCrud = activity?.reply_to_activity_uuid === null;
  switch (kind) {
    case "follow":
      return t.notifications.followed(people, actors_count);
    case "reply":
      return t.notifications.replied(people, actors_count);
    case "mention":
      return t.notifications.mentioned(people, actors_count);
    case "like":
      return isCrud
        ? t.notifications.likedCrud(people, actors_count)
        : t.notifications.likedReply(people, actors_count);
    case "repost":
      return isCrud
        ? t.notifications.repostedCrud(people, actors_count)
        : t.notifications.repostedReply(people, actors_count);
  }
}

/** The largest number of pictures in a row. */
const PICTURES = 5;

function Group({ group, isUnread }: { group: NotificationGroup; isUnread: boolean }) {
  const { kind, activity, actors, actors_count } = group;
  const remove = useRemoveNotification();
  const { isFading, isOver } = useFading(activity?.expires_at ?? null);
  const row = useFadingBox<HTMLLIElement>(isFading);
  const [isExpanded, setExpanded] = useState(false);
  const id = useId();
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is removed once.
  useEffect(() => {
    if (isOver) {
      remove(group);
    }
  }, [isOver]);
  if (isOver) {
    return null;
  }
  return (
    <li
      ref={row}
      className={`note note-${kind} ${isUnread ? "note-unread" : ""} ${isFading ? "fading" : ""}`}
    >
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
              label={isExpanded ? t.notifications.showLess : t.notifications.showAll(actors_count)}
              icon={isExpanded ? "less" : "more"}
              aria-expanded={isExpanded}
              aria-controls={isExpanded ? id : undefined}
              onClick={() => setExpanded(!isExpanded)}
            />
          )}
        </div>
        <p>
          {isUnread && <span className="unseen">{t.notifications.unread} </span>}
          {describe(group)} ·&nbsp;
          <Since time={group.created_at} />
        </p>
        {activity && (
          <Link className="note-what" dir="auto" to={crudAddress(activity)}>
            {activity.message}
          </Link>
        )}
        {isExpanded && (
          <ul className="note-actors" id={id} aria-label={t.notifications.peopleLabel}>
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
            {actors_count > actors.length && (
              <li>{t.notifications.andOthers(actors_count - actors.length)}</li>
            )}
          </ul>
        )}
      </div>
      {activity != null && activity.expires_at !== null && (
        <Countdown from={activity.created_at} to={activity.expires_at} />
      )}
    </li>
  );
}

/** "Gus", "Gus and Ravi", "Gus, Ravi and 7 others". */
function Names({ actors, count }: { actors: readonly ShortUser[]; count: number }): ReactNode {
  const [first, second] = actors;
  return t.notifications.people(
    first && <Name person={first} />,
    second && <Name person={second} />,
    Math.max(0, count - 2),
  );
}

function Name({ person }: { person: ShortUser }) {
  return (
    <Link className="crud-name" dir="auto" to={profileAddress(person)}>
      <bdi>{person.display_name}</bdi>
    </Link>
  );
}
