import { type ReactNode, useEffect, useRef } from "react";
import { describeProblem, type FieldName } from "../text/errors";
import { ProblemNote } from "./Problem";

/**
 * A form whose values are read when it is submitted. An error about one of `fields` is shown
 * next to that field (`problemOf`), any other error at the top.
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
  const field = error ? describeProblem(error).field : null;
  const isAtField = field !== null && fields.includes(field);
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
      {error && !isAtField ? <ProblemNote error={error} /> : null}
      {children}
    </form>
  );
}

/** The error text for one field. */
export function problemOf(error: unknown, name: FieldName): string | undefined {
  const problem = error ? describeProblem(error) : null;
  return problem?.field === name ? problem.sentences.join(" ") : undefined;
}
