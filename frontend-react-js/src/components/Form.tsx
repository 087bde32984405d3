import { type ReactNode, useEffect, useRef } from "react";
import { describeProblem, type FieldName } from "../text/errors";
import { ProblemNote } from "./Problem";

/**
 * A form whose values are read when it is submitted. Errors about `fields` are shown next to their
 * field (`problemOf`), any other error at the top.
 */
export function Form({
  label,
  fields,
  error,
  onChange,
  onSend,
  children,
}: {
  label: string;
  fields: readonly FieldName[];
  error: unknown;
  onChange?: () => void;
  onSend: (values: (name: FieldName) => string, form: HTMLFormElement) => void;
  children: ReactNode;
}) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (error) {
      const field = form.current?.querySelector<HTMLElement>("[aria-invalid='true']");
      field?.focus();
      (field ?? form.current?.querySelector(".problem"))?.scrollIntoView({ block: "center" });
    }
  }, [error]);
  const found = error ? describeProblem(error).fields : [];
  const isAtFields =
    found.length > 0 && found.every((field) => field !== null && fields.includes(field));
  return (
    <form
      ref={form}
      aria-label={label}
      noValidate
      onChange={onChange}
      onSubmit={(event) => {
        event.preventDefault();
        const values = new FormData(event.currentTarget);
        onSend((name) => String(values.get(name) ?? ""), event.currentTarget);
      }}
    >
      {error && !isAtFields ? <ProblemNote error={error} except={fields} /> : null}
      {children}
    </form>
  );
}

/** The error text for one field, if any of the errors is about it. */
export function problemOf(error: unknown, name: FieldName): string | undefined {
  if (!error) {
    return undefined;
  }
  const { sentences, fields } = describeProblem(error);
  return sentences.filter((_, index) => fields[index] === name).join(" ") || undefined;
}
