import { Link } from "react-router";
import type { MessageGroup } from "../api/wire";
import { Avatar } from "../components/Avatar";
import { Since } from "../components/Clock";
import { Empty, PagedList } from "../components/List";
import { MembersOnly } from "../components/MembersOnly";
import { PageHead } from "../components/PageHead";
import { t } from "../language/further";
import { useMessageGroups } from "../queries/messages";
import { conversationAddress } from "../text/addresses";
import "./Messages.css";

/** The member's conversations, the latest first. */
export function Messages() {
  return (
    <>
      <PageHead title={t.messages.title} />
      <MembersOnly why={t.signInTo.messages}>
        <Groups />
      </MembersOnly>
    </>
  );
}

function Groups() {
  const query = useMessageGroups();
  const groups = query.data?.pages.flatMap((part) => part.body) ?? [];
  return (
    <PagedList query={query}>
      <ul>
        {groups.map((group) => (
          <Group key={group.uuid} group={group} />
        ))}
      </ul>
      {groups.length === 0 && (
        <Empty title={t.messages.empty}>
          <p>{t.messages.emptyHint}</p>
        </Empty>
      )}
    </PagedList>
  );
}

function Group({ group }: { group: MessageGroup }) {
  const isUnread = group.unread_count > 0;
  return (
    <li>
      <Link className={`group ${isUnread ? "group-unread" : ""}`} to={conversationAddress(group)}>
        <Avatar person={group} />
        <span className="group-body">
          <span className="group-head">
            <span className="crud-name">
              <bdi>{group.display_name}</bdi>
            </span>
            <span className="crud-handle">
              <span>@{group.handle}</span>
            </span>
            <Since time={group.created_at} />
          </span>
          <span className="group-latest" dir="auto">
            {group.message}
          </span>
        </span>
        {isUnread && (
          <span className="badge">
            {group.unread_count}
            <span className="unseen"> {t.list.unread}</span>
          </span>
        )}
      </Link>
    </li>
  );
}
