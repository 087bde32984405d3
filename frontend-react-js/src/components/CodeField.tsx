import { useEffect, useRef } from "react";
import { t } from "../language/further";
import { Field } from "./Field";
import { problemOf } from "./Form";

/** The field for a code of an authenticator app. It gets the focus when it appears. */
export function CodeField({ hint, error }: { hint?: string; error: unknown }) {
  const part = useRef<HTMLDivElement>(null);
  useEffect(() => part.current?.querySelector("input")?.focus(), []);
  return (
    <div ref={part}>
      <Field
        label={t.secondFactor.code}
        name="code"
        autoComplete="one-time-code"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={40}
        hint={hint}
        problem={problemOf(error, "code")}
      />
    </div>
  );
}
