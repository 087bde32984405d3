import { useEffect, useState, useSyncExternalStore } from "react";
import { useLocation } from "react-router";
import type { MuteDuration, ShortUser } from "../api/wire";
import { t } from "../language/further";
import { notify } from "../notices";
import { useBlock, useMute } from "../queries/safety";
import { Button, IconButton } from "./Button";
import { DeleteDialog } from "./DeleteDialog";
import { Dialog } from "./Dialog";
import { SelectField } from "./Field";
import { closeMenu, getMenu, type OpenMenu, onMenu, openMenu } from "./openMenu";
import { ProblemNote } from "./Problem";
import { ReportDialog } from "./ReportDialog";
import "./PersonMenu.css";

type Person = Pick<ShortUser, "handle">;

/** The button that opens the menu, on a profile. */
export function PersonButton(menu: OpenMenu) {
  return <IconButton label={t.crud.more} icon="dots" onClick={() => openMenu(menu)} />;
}

/** The menu that is open, if any. It closes when the member goes to another page. */
export function OpenPersonMenu() {
  const menu = useSyncExternalStore(onMenu, getMenu);
  const { key } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: every navigation has its own key.
  useEffect(() => closeMenu, [key]);
  return menu && <PersonMenu {...menu} onClose={closeMenu} />;
}

/** What a member can do about another user. Each choice says what will happen, and then asks. */
function PersonMenu({
  person,
  subject,
  choice: initial,
  deleted,
  row,
  onClose,
}: OpenMenu & { onClose: () => void }) {
  const [choice, setChoice] = useState(initial);
  if (deleted !== undefined) {
    return <DeleteDialog crud={deleted} row={row ?? null} onClose={onClose} />;
  }
  if (choice === "report" && subject !== undefined) {
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
        {subject && (
          <Button look="outlined" onClick={() => setChoice("report")}>
            {t.report.more[subject.kind]}
          </Button>
        )}
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
        hiding={mute}
        onClose={onClose}
        onConfirm={() =>
          mute.mutateAsync({ handle: person.handle, duration: duration || null }).then(
            () => {
              notify(t.safety.muted(person.handle));
              onClose();
            },
            () => undefined, // shown by the dialog
          )
        }
      />
    </Dialog>
  );
}

/** Ask for confirmation, then block. */
function BlockDialog({ person, onClose }: { person: Person; onClose: () => void }) {
  const block = useBlock();
  return (
    <Dialog title={t.safety.blockTitle(person.handle)} onClose={onClose}>
      <p>{t.safety.blockText}</p>
      <Confirm
        name={t.safety.block}
        hiding={block}
        onClose={onClose}
        onConfirm={() =>
          block.mutateAsync({ handle: person.handle }).then(
            () => {
              notify(t.safety.blocked(person.handle));
              onClose();
            },
            () => undefined, // shown by the dialog
          )
        }
      />
    </Dialog>
  );
}

/** The buttons of a dialog that hides a user, and the error if that failed. */
function Confirm({
  name,
  hiding,
  onClose,
  onConfirm,
}: {
  name: string;
  hiding: { error: unknown; isPending: boolean };
  onClose: () => void;
  onConfirm: () => unknown;
}) {
  return (
    <>
      {hiding.error ? <ProblemNote error={hiding.error} /> : null}
      <div className="dialog-actions">
        <Button look="outlined" onClick={onClose}>
          {t.crud.cancel}
        </Button>
        <Button look="danger" busy={hiding.isPending} onClick={() => void onConfirm()}>
          {name}
        </Button>
      </div>
    </>
  );
}
