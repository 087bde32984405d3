import type { Crud, Ttl } from "../api/wire";
import { usePost, useReply } from "../queries/activities";
import { CRUD_CHARS, REPLY_CHARS } from "../text/chars";
import { Composer } from "./Composer";
import { useDraft } from "./draft";
import "./CrudForm.css";

const LIVES: readonly (readonly [Ttl, string])[] = [
  ["30-days", "30 days"],
  ["7-days", "7 days"],
  ["3-days", "3 days"],
  ["1-day", "1 day"],
  ["12-hours", "12 hours"],
  ["3-hours", "3 hours"],
  ["1-hour", "1 hour"],
];

/** The form for a new crud and its lifetime. `onDone` is called after posting. */
export function CrudForm({ onDone }: { onDone?: () => void }) {
  const draft = useDraft("crud");
  const post = usePost();
  const send = async () => {
    await post.mutateAsync({ message: draft.text, ttl: draft.ttl, key: draft.key });
    draft.clear();
  };
  return (
    <Composer
      label="New crud"
      placeholder="What’s on your mind?"
      action="Crud it"
      text={draft.text}
      max={CRUD_CHARS}
      busy={post.isPending}
      error={post.error}
      onText={draft.setText}
      onSend={send}
      onDone={onDone}
    >
      <label className="lives">
        <span className="lives-words">Lives for</span>
        <select
          value={draft.ttl}
          disabled={post.isPending}
          onChange={(event) => {
            const chosen = LIVES[event.target.selectedIndex];
            if (chosen !== undefined) {
              draft.setTtl(chosen[0]);
            }
          }}
        >
          {LIVES.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </label>
    </Composer>
  );
}

/** The form for a reply, which expires with its crud at the latest. */
export function ReplyForm({ to, onDone }: { to: Crud; onDone?: () => void }) {
  const draft = useDraft(`reply.${to.uuid}`);
  const reply = useReply(to);
  const send = async () => {
    await reply.mutateAsync({ message: draft.text, key: draft.key });
    draft.clear();
  };
  return (
    <Composer
      label={`Reply to ${to.display_name}`}
      placeholder={`Reply to @${to.handle}`}
      action="Reply"
      text={draft.text}
      max={REPLY_CHARS}
      busy={reply.isPending}
      error={reply.error}
      onText={draft.setText}
      onSend={send}
      onDone={onDone}
    />
  );
}
