import { useId, useState } from "react";
import type { Crud } from "../api/wire";
import { t } from "../language";
import { usePost, useReply } from "../queries/activities";
import { useInstance } from "../queries/instance";
import { CRUD_CHARS, REPLY_CHARS } from "../text/chars";
import { DEFAULT_TTL, LIFETIMES, MAX_TTL, ttlsUpTo } from "../text/lifetimes";
import { GoneAt, GoneIn } from "./Clock";
import { Composer } from "./Composer";
import { useDraft } from "./draft";
import { PictureFields } from "./PictureFields";
import "./CrudForm.css";

/** The form for a new crud and its lifetime. `onDone` is called after posting. */
export function CrudForm({ onDone }: { onDone?: () => void }) {
  const id = useId();
  const draft = useDraft("crud");
  const post = usePost();
  const { default_ttl = DEFAULT_TTL, max_ttl = MAX_TTL } = useInstance().data ?? {};
  const ttls = ttlsUpTo(max_ttl);
  const chosen = draft.ttl ?? default_ttl;
  const ttl = ttls.includes(chosen) ? chosen : max_ttl;
  const [isUploading, setUploading] = useState(false);
  const send = async () => {
    await post.mutateAsync({ message: draft.text, ...draft, ttl });
    draft.clear();
  };
  return (
    <Composer
      label={t.composer.crud}
      placeholder={t.composer.placeholder}
      action={t.composer.post}
      text={draft.text}
      max={CRUD_CHARS}
      busy={post.isPending}
      isHeld={isUploading}
      error={post.error}
      onText={draft.setText}
      onSend={send}
      onDone={onDone}
      completes
    >
      <PictureFields
        pictures={draft.pictures}
        isBusy={post.isPending}
        onPictures={draft.setPictures}
        onUploading={setUploading}
      />
      <div className="lives">
        <label htmlFor={id}>{t.composer.livesFor}</label>
        <select
          id={id}
          aria-describedby={`${id}-end`}
          value={ttl}
          disabled={post.isPending}
          onChange={(event) => {
            const selected = ttls[event.target.selectedIndex];
            if (selected !== undefined) {
              draft.setTtl(selected);
            }
          }}
        >
          {ttls.map((one) => (
            <option key={one} value={one}>
              {t.lifetimes[one]}
            </option>
          ))}
        </select>
        <span className="lives-end" id={`${id}-end`}>
          <GoneIn milliseconds={LIFETIMES[ttl] * 3_600_000} />
        </span>
      </div>
    </Composer>
  );
}

/** The form for a reply, which expires with its crud at the latest. */
export function ReplyForm({ to, onDone }: { to: Crud; onDone?: () => void }) {
  const draft = useDraft(`reply.${to.uuid}`);
  const reply = useReply(to);
  const [isUploading, setUploading] = useState(false);
  const send = async () => {
    await reply.mutateAsync({ message: draft.text, ...draft });
    draft.clear();
  };
  return (
    <Composer
      label={t.composer.reply(to.display_name)}
      placeholder={t.composer.replyPlaceholder(to.handle)}
      action={t.composer.postReply}
      text={draft.text}
      max={REPLY_CHARS}
      busy={reply.isPending}
      isHeld={isUploading}
      error={reply.error}
      onText={draft.setText}
      onSend={send}
      onDone={onDone}
      completes
    >
      <PictureFields
        pictures={draft.pictures}
        isBusy={reply.isPending}
        onPictures={draft.setPictures}
        onUploading={setUploading}
      />
      {to.expires_at !== null && (
        <span className="lives-end">
          <GoneAt time={to.expires_at} />
        </span>
      )}
    </Composer>
  );
}
