import { useEffect, useRef } from "react";
import { t } from "../language/further";
import { Field } from "./Field";
import { problemOf } from "./Form";

/** The field for the code of a second factor. It gets the focus when it appears. */
export function CodeField({
  label = t.secondFactor.code,
  hint,
  error,
}: {
  label?: string;
  hint?: string;
  error: unknown;
}) {
  const part = useRef<HTMLDivElement>(null);
  useEffect(() => part.current?.querySelector("input")?.focus(), []);
  return (
    <div ref={part}>
      <Field
        label={label}
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
