import { Fragment } from "react";
import { Link } from "react-router";
import { t } from "../language/further";
import { useMember } from "../queries/session";
import { Dialog } from "./Dialog";
import "./ShortcutSheet.css";

type Shortcut = readonly [keys: string, action: string];

/** The list of all keyboard shortcuts. */
export function ShortcutSheet({ onClose }: { onClose: () => void }) {
  const isMember = useMember() !== null;
  const reading: readonly Shortcut[] = [
    ["j", t.shortcuts.next],
    ["k", t.shortcuts.previous],
    ["Enter", t.shortcuts.open],
    ["/", t.nav.search],
  ];
  const writing: readonly Shortcut[] = [
    ["n", t.shortcuts.newCrud],
    ["r", t.shortcuts.reply],
    ["l", t.shortcuts.like],
  ];
  const ownPlaces: readonly Shortcut[] = [
    ["g n", t.nav.notifications],
    ["g m", t.nav.messages],
    ["g p", t.shortcuts.ownProfile],
  ];
  const places: readonly Shortcut[] = [
    ["g h", t.nav.home],
    ...(isMember ? ownPlaces : []),
    ["g s", t.nav.settings],
  ];
  return (
    <Dialog title={t.shortcuts.title} onClose={onClose}>
      <Shortcuts title={t.shortcuts.reading} shortcuts={reading} />
      {isMember && <Shortcuts title={t.shortcuts.writing} shortcuts={writing} />}
      <Shortcuts title={t.shortcuts.goTo} shortcuts={places} />
      <Shortcuts title={t.shortcuts.help} shortcuts={[["?", t.shortcuts.list]]} />
      <p className="shortcuts-note">
        {t.shortcuts.off((words) => (
          <Link to="/settings" onClick={onClose}>
            {words}
          </Link>
        ))}
      </p>
    </Dialog>
  );
}

function Shortcuts({ title, shortcuts }: { title: string; shortcuts: readonly Shortcut[] }) {
  return (
    <section className="shortcuts">
      <h3>{title}</h3>
      <dl>
        {shortcuts.map(([keys, action]) => (
          <div key={keys}>
            <dt>
              {keys.split(" ").map((key, index) => (
                <Fragment key={key}>
                  {index > 0 && " "}
                  <kbd>{key}</kbd>
                </Fragment>
              ))}
            </dt>
            <dd>{action}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
