import { useState } from "react";
import type { Message, MessageLifetime, MessageTtl } from "../api/wire";
import { t } from "../language/further";
import { useLifetime, useSetLifetime } from "../queries/lifetimes";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { SelectField } from "./Field";

/** The choice of messages without an end. */
const NEVER = "";
const LIFETIMES: readonly (MessageTtl | typeof NEVER)[] = [
  NEVER,
  "1-hour",
  "1-day",
  "7-days",
  "30-days",
];

/** How long the next messages live, and the dialog that changes it. */
export function LifetimeButton({
  handle,
  messages,
}: {
  handle: string;
  messages: readonly Message[];
}) {
  const line = messages.findLast(({ kind }) => kind === "lifetime");
  const lifetime = useLifetime(handle, line?.uuid);
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        className="lifetime"
        disabled={lifetime === undefined}
        onClick={() => setOpen(true)}
      >
        {lifetime === undefined ? "\u00a0" : t.messages.lifetime(lifetime.ttl)}
      </button>
      {isOpen && lifetime && (
        <LifetimeDialog handle={handle} lifetime={lifetime} onClose={() => setOpen(false)} />
      )}
    </>
  );
}

function LifetimeDialog({
  handle,
  lifetime,
  onClose,
}: {
  handle: string;
  lifetime: MessageLifetime;
  onClose: () => void;
}) {
  const [ttl, setTtl] = useState(lifetime.ttl);
  const set = useSetLifetime(handle);
  return (
    <Dialog title={t.messages.lifetimeTitle} onClose={onClose}>
      <p>{t.messages.lifetimeText(handle)}</p>
      <SelectField
        label={t.messages.lifetimeLabel}
        value={ttl ?? NEVER}
        options={LIFETIMES.map((one) => [
          one,
          one === NEVER ? t.messages.noLifetime : t.lifetimes[one],
        ])}
        onChoose={(one) => setTtl(one || null)}
      />
      <div className="dialog-actions">
        <Button look="outlined" onClick={onClose}>
          {t.crud.cancel}
        </Button>
        <Button
          onClick={() => {
            if (ttl !== lifetime.ttl) {
              set.mutate(ttl);
            }
            onClose();
          }}
        >
          {t.messages.setLifetime}
        </Button>
      </div>
    </Dialog>
  );
}
