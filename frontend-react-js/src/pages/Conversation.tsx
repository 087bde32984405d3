import { useEffect, useRef } from "react";
import { Link, useNavigate } from "react-router";
import type { Member } from "../api/wire";
import { Button } from "../components/Button";
import { Countdown, Since } from "../components/Clock";
import { Composer } from "../components/Composer";
import { useDraft } from "../components/draft";
import { useFading, useFadingBox } from "../components/fading";
import { LifetimeButton } from "../components/LifetimeButton";
import { Empty, More, PagedList } from "../components/List";
import { MembersOnly } from "../components/MembersOnly";
import { openMenu } from "../components/openMenu";
import { PageHead } from "../components/PageHead";
import { RichText } from "../components/RichText";
import { t } from "../language/further";
import { notify } from "../notices";
import {
  type ListedMessage,
  useAnswerRequest,
  useConversation,
  useRequestOf,
  useSend,
} from "../queries/messages";
import { useMember } from "../queries/session";
import { useShortUser } from "../queries/users";
import { profileAddress } from "../text/addresses";
import { REPLY_CHARS } from "../text/chars";
import { hasCode } from "../text/errors";
import "./Conversation.css";

/** The messages between the member and another user, and the form for the next one. */
export function Conversation({ handle }: { handle: string }) {
  const member = useMember();
  const query = useShortUser(handle);
  const isUnknown = hasCode(query.error, "not_found");
  const other = isUnknown ? undefined : query.data; // a user who has blocked the member is unknown
  const isSelf = member?.handle === handle.toLowerCase();
  return (
    <div className="conversation">
      <PageHead title={other?.display_name ?? `@${handle}`} back="/messages">
        {other && (
          <Link className="crud-handle" to={profileAddress(other)}>
            <span>@{other.handle}</span>
          </Link>
        )}
      </PageHead>
      <MembersOnly why={t.signInTo.message(handle)}>
        {isUnknown || isSelf ? (
          <Empty title={isSelf ? t.messages.isYou : t.messages.unknown}>
            <p>{isSelf ? t.messages.notYourself : t.messages.unknownHint}</p>
          </Empty>
        ) : (
          member && <Messages key={handle} handle={handle} member={member} />
        )}
      </MembersOnly>
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
        {query.hasNextPage && <More query={query} label={t.messages.showOlder} />}
        <Request handle={handle} />
        <Arrival latest={latest} member={member} />
        <ol className="messages" aria-label={t.messages.title}>
          {messages.map((message) => (
            <Item key={message.uuid} message={message} isOwn={message.handle === member.handle} />
          ))}
        </ol>
        {messages.length === 0 && (
          <Empty title={t.messages.hello}>
            <p>{t.messages.helloHint}</p>
          </Empty>
        )}
      </PagedList>
      <div className="conversation-foot">
        <LifetimeButton handle={handle} messages={messages} />
        <MessageForm handle={handle} />
      </div>
    </>
  );
}

/** Says that the conversation is a request, and what the member can do about it. */
function Request({ handle }: { handle: string }) {
  const request = useRequestOf(handle);
  const accept = useAnswerRequest("accept");
  const remove = useAnswerRequest("delete");
  const navigate = useNavigate();
  if (request === undefined) {
    return null;
  }
  return (
    <section className="request" aria-label={t.safety.requests}>
      <p>{t.safety.requestText(request.handle)}</p>
      <div className="request-actions">
        <Button
          busy={accept.isPending}
          onClick={() =>
            void accept.mutateAsync(request).then(
              () => notify(t.safety.accepted),
              () => undefined, // shown as a notice
            )
          }
        >
          {t.safety.accept}
        </Button>
        <Button
          look="outlined"
          busy={remove.isPending}
          onClick={() =>
            void remove.mutateAsync(request).then(
              () => {
                notify(t.safety.deleted);
                void navigate("/messages?list=requests");
              },
              () => undefined, // shown as a notice
            )
          }
        >
          {t.safety.delete}
        </Button>
        <Button
          look="outlined"
          aria-label={t.safety.blockMore(request.handle)}
          onClick={() => openMenu({ person: request, choice: "block" })}
        >
          {t.safety.block}
        </Button>
      </div>
    </section>
  );
}

/** Read out a new message from the other user, and nothing else. */
function Arrival({ latest, member }: { latest: ListedMessage | undefined; member: Member }) {
  const first = useRef(latest?.uuid);
  const isNew = latest !== undefined && latest.uuid !== first.current;
  return (
    <p className="unseen" role="status">
      {isNew &&
        latest.handle !== member.handle &&
        (latest.kind === "lifetime"
          ? t.messages.line(latest.display_name, latest.ttl)
          : `${latest.display_name}: ${latest.message}`)}
    </p>
  );
}

/** Pixels from the end of the page within which it follows new messages. */
const NEAR = 240;

/** Start at the end, and follow new messages unless the member has scrolled up. */
function useFollowing(latest: string | undefined, isOwn: boolean): void {
  const isAtEnd = useRef(true);
  useEffect(() => {
    const check = () => {
      const { scrollHeight } = document.documentElement;
      isAtEnd.current = scrollHeight - scrollY - innerHeight < NEAR;
    };
    addEventListener("scroll", check, { passive: true });
    return () => removeEventListener("scroll", check);
  }, []);
  useEffect(() => {
    if (latest !== undefined && (isAtEnd.current || isOwn)) {
      scrollTo(0, document.documentElement.scrollHeight);
    }
  }, [latest, isOwn]);
}

function Item({ message, isOwn }: { message: ListedMessage; isOwn: boolean }) {
  const { isFading, isOver } = useFading(message.expires_at);
  const row = useFadingBox<HTMLLIElement>(isFading);
  if (isOver) {
    return null;
  }
  const fading = isFading ? "fading" : "";
  if (message.kind === "lifetime") {
    return (
      <li ref={row} className={`message-line ${fading}`}>
        {t.messages.line(isOwn ? null : message.display_name, message.ttl)}
      </li>
    );
  }
  return (
    <li
      ref={row}
      className={`message ${isOwn ? "message-own" : ""} ${fading}`}
      aria-busy={message.pending}
    >
      <span className="unseen">{message.display_name}</span>
      <RichText text={message.message} />
      <span className="message-time">
        {message.pending ? t.messages.sending : <Since time={message.created_at} />}
        {message.expires_at !== null && (
          <Countdown from={message.created_at} to={message.expires_at} />
        )}
        {!isOwn && (
          <button
            type="button"
            className="message-report"
            aria-label={t.report.thisMessage(message.message)}
            onClick={() =>
              openMenu({
                person: message,
                subject: { kind: "message", uuid: message.uuid },
                choice: "report",
              })
            }
          >
            {t.report.report}
          </button>
        )}
      </span>
    </li>
  );
}

function MessageForm({ handle }: { handle: string }) {
  const draft = useDraft(`message.${handle}`);
  const send = useSend(handle);
  return (
    <Composer
      label={t.messages.label(handle)}
      placeholder={t.messages.placeholder(handle)}
      action={t.messages.send}
      text={draft.text}
      max={REPLY_CHARS}
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
