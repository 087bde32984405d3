import { Link, useSearchParams } from "react-router";
import type { MessageGroup } from "../api/wire";
import { Avatar } from "../components/Avatar";
import { Since } from "../components/Clock";
import { Empty, PagedList } from "../components/List";
import { MembersOnly } from "../components/MembersOnly";
import { PageHead } from "../components/PageHead";
import { Tabs } from "../components/Tabs";
import { t } from "../language/further";
import { useIsOver } from "../queries/lifetimes";
import { type List, useMessageGroups } from "../queries/messages";
import { rowsOf } from "../queries/paging";
import { conversationAddress } from "../text/addresses";
import "./Messages.css";

const ADDRESSES: Record<List, string> = {
  groups: "/messages",
  requests: "/messages?list=requests",
};

/** The member's conversations, or the requests for them, the latest first. */
export function Messages() {
  const [search] = useSearchParams();
  const list = search.get("list") === "requests" ? "requests" : "groups";
  return (
    <>
      <PageHead title={t.messages.title} />
      <MembersOnly why={t.signInTo.messages}>
        <Tabs
          label={t.messages.title}
          current={ADDRESSES[list]}
          tabs={[
            [t.messages.conversations, ADDRESSES.groups],
            [t.safety.requests, ADDRESSES.requests],
          ]}
        />
        <Groups key={list} list={list} />
      </MembersOnly>
    </>
  );
}

function Groups({ list }: { list: List }) {
  const query = useMessageGroups(list);
  const groups = rowsOf(query.data);
  return (
    <PagedList query={query}>
      <ul>
        {groups.map((group) => (
          <Group key={group.uuid} group={group} />
        ))}
      </ul>
      {groups.length === 0 &&
        (list === "groups" ? (
          <Empty title={t.messages.empty}>
            <p>{t.messages.emptyHint}</p>
          </Empty>
        ) : (
          <Empty title={t.safety.noRequests}>
            <p>{t.safety.noRequestsHint}</p>
          </Empty>
        ))}
    </PagedList>
  );
}

function Group({ group }: { group: MessageGroup }) {
  const isUnread = group.unread_count > 0;
  const isOver = useIsOver(group.expires_at);
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
            {isOver
              ? ""
              : group.kind === "lifetime"
                ? t.messages.lifetime(group.ttl)
                : group.message}
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
