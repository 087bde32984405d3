import { NavLink } from "react-router";
import type { Member } from "../api/wire";
import { t } from "../language";
import { useCanJoin } from "../queries/instance";
import { useUnreadMessages } from "../queries/messages";
import { useUnreadNotifications } from "../queries/notifications";
import { useKeyOf } from "../shortcuts";
import { profileAddress } from "../text/addresses";
import { Avatar } from "./Avatar";
import { Icon, type IconName } from "./Icon";
import { Mark } from "./Mark";
import { type RouteState, useHere } from "./routeState";
import "./Nav.css";

/** The main navigation: a column, or a bar at the bottom of a phone's screen. */
export function Nav({
  member,
  isKnown,
  composes,
  onCompose,
}: {
  member: Member | null;
  /** False while the session is being restored. */
  isKnown: boolean;
  /** What the button writes. */
  composes: "crud" | "message";
  onCompose: () => void;
}) {
  const notifications = useUnreadNotifications();
  const messages = useUnreadMessages();
  const state = { from: useHere() };
  const canJoin = useCanJoin();
  const composeKey = useKeyOf("n");
  return (
    <nav
      className={`nav ${member === null && isKnown ? "nav-visitor" : ""}`}
      aria-label={t.nav.label}
    >
      <div className="nav-column">
        <NavLink className="nav-brand" to="/">
          <Mark />
          <span className="nav-name">Cruddur</span>
        </NavLink>
        <Item to="/" icon="home" name={t.nav.home} />
        <Item to="/search" icon="search" name={t.nav.search} />
        {member !== null && (
          <>
            <Item
              to="/notifications"
              icon="bell"
              name={t.nav.notifications}
              unread={notifications}
            />
            <Item to="/messages" icon="mail" name={t.nav.messages} unread={messages} />
            <Item to={profileAddress(member)} icon="person" name={t.nav.profile} />
            {member.role !== "member" && (
              <Item
                to="/moderation"
                icon="flag"
                name={t.nav.moderation}
                unread={member.open_cases}
                counted={t.nav.open}
              />
            )}
            <Item to="/settings" icon="gear" name={t.nav.settings} unread={member.unread_notices} />
            <button
              className="nav-compose"
              type="button"
              aria-keyshortcuts={composeKey}
              onClick={onCompose}
            >
              <Icon name="pen" />
              <span className="nav-name">
                {composes === "crud" ? t.nav.crud : t.newMessage.title}
              </span>
            </button>
            <NavLink
              className="nav-me"
              to={profileAddress(member)}
              aria-hidden="true"
              tabIndex={-1}
            >
              <Avatar person={member} size="small" />
              <span className="nav-name">
                <bdi>{member.display_name}</bdi>
                <small>@{member.handle}</small>
              </span>
            </NavLink>
          </>
        )}
        {member === null && isKnown && (
          <>
            <Item to="/about" icon="info" name={t.nav.about} />
            <Item to="/signin" icon="enter" name={t.account.signIn} state={state} />
            {canJoin && <Item to="/signup" icon="person" name={t.nav.join} state={state} />}
          </>
        )}
      </div>
    </nav>
  );
}

function Item({
  to,
  icon,
  name,
  unread = 0,
  counted = t.list.unread,
  state,
}: {
  to: string;
  icon: IconName;
  name: string;
  unread?: number;
  /** What the number counts. */
  counted?: string;
  state?: RouteState;
}) {
  return (
    <NavLink className="nav-item" to={to} end title={name} state={state}>
      <Icon name={icon} />
      <span className="nav-name">{name}</span>{" "}
      {unread > 0 && (
        <span className="badge">
          {unread > 99 ? "99+" : unread}
          <span className="unseen"> {counted}</span>
        </span>
      )}
    </NavLink>
  );
}
