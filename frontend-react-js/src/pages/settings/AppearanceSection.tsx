import { useId, useState } from "react";
import { chosenTheme, setTheme, THEMES } from "../../appearance";
import { t } from "../../language/further";
import { Section } from "./Section";

/** Choose the theme, on this device. */
export function AppearanceSection() {
  const id = useId();
  const [theme, choose] = useState(chosenTheme);
  return (
    <Section title={t.settings.appearance}>
      <fieldset className="choices" aria-describedby={`${id}-hint`}>
        <legend>{t.settings.theme}</legend>
        {THEMES.map((one) => (
          <label key={one} className="choice">
            <input
              type="radio"
              name="theme"
              checked={theme === one}
              onChange={() => {
                setTheme(one);
                choose(one);
              }}
            />
            {t.settings.themes[one]}
          </label>
        ))}
      </fieldset>
      <p className="field-hint" id={`${id}-hint`}>
        {t.settings.themeHint}
      </p>
    </Section>
  );
}
