import { type Mutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef } from "react";
import { describeProblem, type FieldName, isAbout } from "../text/errors";
import { ProblemNote } from "./Problem";

/**
 * A form whose values are read when it is submitted. Errors about `fields` are shown next to their
 * field (`problemOf`), any other error at the top. While what it sent is under way, it sends nothing
 * else: a second press of Enter can come before its button is busy.
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
  const mutations = useQueryClient().getMutationCache();
  const sent = useRef<readonly Mutation[]>([]);
  useEffect(() => {
    if (error) {
      const field = form.current?.querySelector<HTMLElement>("[aria-invalid='true']");
      field?.focus();
      (field ?? form.current?.querySelector(".problem"))?.scrollIntoView({ block: "center" });
    }
  }, [error]);
  const found = error ? describeProblem(error).codes : [];
  const isAtFields = found.length > 0 && found.every((code) => isAbout(code, fields));
  return (
    <form
      ref={form}
      aria-label={label}
      noValidate
      onChange={onChange}
      onSubmit={(event) => {
        event.preventDefault();
        if (sent.current.some(({ state }) => state.status === "pending")) {
          return;
        }
        const values = new FormData(event.currentTarget);
        const earlier = new Set(mutations.getAll());
        onSend((name) => String(values.get(name) ?? ""), event.currentTarget);
        sent.current = mutations.getAll().filter((mutation) => !earlier.has(mutation));
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
  const { sentences, codes } = describeProblem(error);
  return sentences.filter((_, index) => isAbout(codes[index], [name])).join(" ") || undefined;
}
