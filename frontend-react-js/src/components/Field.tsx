import { type ComponentProps, type ReactNode, useId } from "react";
import "./Field.css";

/** An input with a label. `problem` says what is wrong with the value. */
export function Field({
  label,
  hint,
  problem,
  ...input
}: Omit<ComponentProps<"input">, "id"> & {
  label: string;
  hint?: ReactNode;
  problem?: string | undefined;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        {...input}
        id={id}
        aria-invalid={problem !== undefined || undefined}
        aria-describedby={`${id}-hint ${id}-problem`}
      />
      <FieldNotes id={id} hint={hint} problem={problem} />
    </div>
  );
}

/** A text area with a label. */
export function AreaField({
  label,
  hint,
  problem,
  ...area
}: Omit<ComponentProps<"textarea">, "id"> & {
  label: string;
  hint?: ReactNode;
  problem?: string | undefined;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea
        {...area}
        id={id}
        aria-invalid={problem !== undefined || undefined}
        aria-describedby={`${id}-hint ${id}-problem`}
      />
      <FieldNotes id={id} hint={hint} problem={problem} />
    </div>
  );
}

/** A choice of one of several options, each a value and its name, with a label. */
export function SelectField<Value extends string>({
  label,
  options,
  problem,
  onChoose,
  ...select
}: Omit<ComponentProps<"select">, "id" | "children" | "onChange"> & {
  label: string;
  options: readonly (readonly [Value, string])[];
  problem?: string | undefined;
  onChoose?: (value: Value) => void;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        {...select}
        id={id}
        aria-invalid={problem !== undefined || undefined}
        aria-describedby={`${id}-problem`}
        onChange={({ target }) => {
          const chosen = options[target.selectedIndex];
          if (chosen !== undefined) {
            onChoose?.(chosen[0]);
          }
        }}
      >
        {options.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <FieldNotes id={id} hint={undefined} problem={problem} />
    </div>
  );
}

/** What is wrong with a field, and a hint; the field names both by `aria-describedby`. */
export function FieldNotes({
  id,
  hint,
  problem,
}: {
  id: string;
  hint: ReactNode;
  problem: string | undefined;
}) {
  return (
    <>
      <p className="field-problem" id={`${id}-problem`} role="alert">
        {problem}
      </p>
      <div className="field-hint" id={`${id}-hint`}>
        {hint}
      </div>
    </>
  );
}
