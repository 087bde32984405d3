import { useState } from "react";
import { Button } from "../../components/Button";
import { ShortcutSheet } from "../../components/ShortcutSheet";
import { t } from "../../language/further";
import { setShortcuts, useShortcuts } from "../../shortcuts";
import { Section } from "./Section";

/** Turn the keyboard shortcuts on or off, on this device. */
export function KeyboardSection() {
  const isOn = useShortcuts();
  const [isOpen, setOpen] = useState(false);
  return (
    <Section title={t.settings.keyboard}>
      <label className="choice">
        <input
          type="checkbox"
          checked={isOn}
          onChange={(event) => setShortcuts(event.target.checked)}
        />
        {t.shortcuts.title}
      </label>
      <div>
        <Button look="outlined" onClick={() => setOpen(true)}>
          {t.settings.showShortcuts}
        </Button>
      </div>
      {isOpen && <ShortcutSheet onClose={() => setOpen(false)} />}
    </Section>
  );
}
