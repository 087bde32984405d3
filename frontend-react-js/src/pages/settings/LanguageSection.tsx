import { useEffect, useId, useRef } from "react";
import { chooseLanguage, language } from "../../language";
import { LANGUAGES, type Language } from "../../language/choice";
import { t } from "../../language/further";
import { notifyError } from "../../queries/client";
import { Section } from "./Section";

/** Whether this page is rendered again because of a choice in it. */
let wasChosen = false;

/** Choose the language of the page. */
export function LanguageSection() {
  const id = useId();
  const field = useRef<HTMLSelectElement>(null);
  useEffect(() => {
    if (wasChosen) {
      wasChosen = false;
      field.current?.focus({ preventScroll: true });
    }
  }, []);
  const choose = (next: Language) => {
    wasChosen = true;
    chooseLanguage(next).catch((error: unknown) => {
      wasChosen = false;
      notifyError(error);
    });
  };
  return (
    <Section title={t.settings.language}>
      <div className="field">
        <label htmlFor={id}>{t.settings.languageLabel}</label>
        <select
          ref={field}
          id={id}
          aria-describedby={`${id}-hint`}
          value={language}
          onChange={(event) => choose(event.target.value as Language)}
        >
          {Object.entries(LANGUAGES).map(([code, name]) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </select>
        <p className="field-hint" id={`${id}-hint`}>
          {t.settings.languageHint}
        </p>
      </div>
    </Section>
  );
}
