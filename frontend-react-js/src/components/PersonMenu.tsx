import { useState } from "react";
import type { MuteDuration, ReportDraft, ShortUser } from "../api/wire";
import { t } from "../language/further";
import { notify } from "../notices";
import { useBlock, useMute } from "../queries/safety";
import { Button, IconButton } from "./Button";
import { Dialog } from "./Dialog";
import { SelectField } from "./Field";
import { ReportDialog } from "./ReportDialog";
import "./PersonMenu.css";

type Person = Pick<ShortUser, "handle">;

interface Menu {
  person: Person;
  /** What a report from this menu is about. */
  subject: Pick<ReportDraft, "kind" | "uuid">;
}

/** The button that opens the menu, on a profile. */
export function PersonButton(menu: Menu) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <IconButton label={t.crud.more} icon="dots" onClick={() => setOpen(true)} />
      {isOpen && <PersonMenu {...menu} onClose={() => setOpen(false)} />}
    </>
  );
}

/** What a member can do about another user. Each choice says what will happen, and then asks. */
export function PersonMenu({ person, subject, onClose }: Menu & { onClose: () => void }) {
  const [choice, setChoice] = useState<"mute" | "block" | "report">();
  if (choice === "report") {
    return <ReportDialog {...subject} handle={person.handle} onClose={onClose} />;
  }
  if (choice === "mute") {
    return <MuteDialog person={person} onClose={onClose} />;
  }
  if (choice === "block") {
    return <BlockDialog person={person} onClose={onClose} />;
  }
  return (
    <Dialog title={`@${person.handle}`} onClose={onClose}>
      <div className="person-menu">
        <Button look="outlined" onClick={() => setChoice("mute")}>
          {t.safety.muteMore(person.handle)}
        </Button>
        <Button look="outlined" onClick={() => setChoice("block")}>
          {t.safety.blockMore(person.handle)}
        </Button>
        <Button look="outlined" onClick={() => setChoice("report")}>
          {t.report.more[subject.kind]}
        </Button>
      </div>
    </Dialog>
  );
}

/** A mute without an end. */
const FOREVER = "";
const DURATIONS = ["1-hour", "1-day", "7-days", "30-days", FOREVER] as const;

function MuteDialog({ person, onClose }: { person: Person; onClose: () => void }) {
  const [duration, setDuration] = useState<MuteDuration | typeof FOREVER>(FOREVER);
  const mute = useMute();
  return (
    <Dialog title={t.safety.muteTitle(person.handle)} onClose={onClose}>
      <p>{t.safety.muteText}</p>
      <SelectField
        label={t.safety.muteFor}
        value={duration}
        options={DURATIONS.map((one) => [
          one,
          one === FOREVER ? t.safety.forever : t.lifetimes[one],
        ])}
        onChoose={setDuration}
      />
      <Confirm
        name={t.safety.mute}
        onClose={onClose}
        onConfirm={() =>
          mute.mutateAsync({ handle: person.handle, duration: duration || null }).then(
            () => notify(t.safety.muted(person.handle)),
            () => undefined, // shown as a notice
          )
        }
      />
    </Dialog>
  );
}

/** Ask for confirmation, then block. */
export function BlockDialog({ person, onClose }: { person: Person; onClose: () => void }) {
  const block = useBlock();
  return (
    <Dialog title={t.safety.blockTitle(person.handle)} onClose={onClose}>
      <p>{t.safety.blockText}</p>
      <Confirm
        name={t.safety.block}
        onClose={onClose}
        onConfirm={() =>
          block.mutateAsync({ handle: person.handle }).then(
            () => notify(t.safety.blocked(person.handle)),
            () => undefined, // shown as a notice
          )
        }
      />
    </Dialog>
  );
}

/** The buttons of a dialog that closes at once: the card that it belongs to disappears. */
function Confirm({
  name,
  onClose,
  onConfirm,
}: {
  name: string;
  onClose: () => void;
  onConfirm: () => unknown;
}) {
  return (
    <div className="dialog-actions">
      <Button look="outlined" onClick={onClose}>
        {t.crud.cancel}
      </Button>
      <Button
        look="danger"
        onClick={() => {
          void onConfirm();
          onClose();
        }}
      >
        {name}
      </Button>
    </div>
  );
}
