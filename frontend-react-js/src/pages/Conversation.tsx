import { useEffect, useRef } from "react";
import { Link } from "react-router";
import type { Member } from "../api/wire";
import { Since } from "../components/Clock";
import { Composer } from "../components/Composer";
import { useDraft } from "../components/draft";
import { Empty, More, PagedList } from "../components/List";
import { Members } from "../components/Members";
import { PageHead } from "../components/PageHead";
import { RichText } from "../components/RichText";
import { type ListedMessage, useConversation, useSend } from "../queries/messages";
import { useMember } from "../queries/session";
import { useShortUser } from "../queries/users";
import { profileAddress } from "../text/addresses";
import { REPLY_CHARS } from "../text/chars";
import { hasCode } from "../text/errors";
import "./Conversation.css";

/** What the member and another person wrote to each other, and where the next is written. */
export function Conversation({ handle }: { handle: string }) {
  const member = useMember();
  const other = useShortUser(handle);
  const isNobody = hasCode(other.error, "not_found");
  const isSelf = member?.handle === handle.toLowerCase();
  return (
    <div className="conversation">
      <PageHead title={other.data?.display_name ?? `@${handle}`} back="/messages">
        {other.data && (
          <Link className="crud-handle" to={profileAddress(other.data)}>
            <span>@{other.data.handle}</span>
          </Link>
        )}
      </PageHead>
      <Members why={`to write to @${handle}`}>
        {isNobody || isSelf ? (
          <Empty title={isSelf ? "That is you" : "Nobody goes by that name"}>
            <p>{isSelf ? "Think it instead." : "Perhaps they left. People here do."}</p>
          </Empty>
        ) : (
          member && <Messages key={handle} handle={handle} member={member} />
        )}
      </Members>
    </div>
  );
}

function Messages({ handle, member }: { handle: string; member: Member }) {
  const query = useConversation(handle);
  const messages = query.data?.pages.flatMap((part) => part.body.toReversed()).toReversed() ?? [];
  const latest = messages.at(-1);
  useFollowing(latest?.uuid, latest?.handle === member.handle);
  return (
    <>
      <PagedList query={{ ...query, hasNextPage: false }}>
        {query.hasNextPage && <More query={query} label="Show older messages" />}
        <Arrival latest={latest} member={member} />
        <ol className="messages" aria-label="Messages">
          {messages.map((message) => (
            <Item key={message.uuid} message={message} isOwn={message.handle === member.handle} />
          ))}
        </ol>
        {messages.length === 0 && (
          <Empty title="The first word is yours">
            <p>Only the two of you can read what is written here.</p>
          </Empty>
        )}
      </PagedList>
      <div className="conversation-foot">
        <MessageForm handle={handle} />
      </div>
    </>
  );
}

/** Reads a message of the other person out when it comes, and nothing else. */
function Arrival({ latest, member }: { latest: ListedMessage | undefined; member: Member }) {
  const first = useRef(latest?.uuid);
  const isNew = latest !== undefined && latest.uuid !== first.current;
  return (
    <p className="unseen" role="status">
      {isNew && latest.handle !== member.handle && `${latest.display_name}: ${latest.message}`}
    </p>
  );
}

/** Pixels from the end within which one follows what is written. */
const NEAR = 240;

/** Begin at the end, and stay there as messages come, unless one reads further up. */
function useFollowing(latest: string | undefined, isOwn: boolean): void {
  const isAtEnd = useRef(true);
  useEffect(() => {
    const look = () => {
      const { scrollHeight } = document.documentElement;
      isAtEnd.current = scrollHeight - scrollY - innerHeight < NEAR;
    };
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, []);
  useEffect(() => {
    if (latest !== undefined && (isAtEnd.current || isOwn)) {
      scrollTo(0, document.documentElement.scrollHeight);
    }
  }, [latest, isOwn]);
}

function Item({ message, isOwn }: { message: ListedMessage; isOwn: boolean }) {
  return (
    <li className={`message ${isOwn ? "message-own" : ""}`} aria-busy={message.pending}>
      <span className="unseen">{message.display_name}</span>
      <RichText text={message.message} />
      <span className="message-time">
        {message.pending ? "sending…" : <Since time={message.created_at} />}
      </span>
    </li>
  );
}

function MessageForm({ handle }: { handle: string }) {
  const draft = useDraft(`message.${handle}`);
  const send = useSend(handle);
  return (
    <Composer
      label={`Message to @${handle}`}
      placeholder={`Write to @${handle}`}
      action="Send"
      text={draft.text}
      most={REPLY_CHARS}
      busy={send.isPending}
      error={send.error}
      onText={draft.setText}
      onSend={async () => {
        await send.mutateAsync({ message: draft.text, key: draft.key });
        draft.clear();
      }}
      enterSends
    />
  );
}
