import { useEffect, useId, useRef } from "react";
import { Button } from "../../components/Button";
import { t } from "../../language/further";
import { notify } from "../../notices";

/** A secret text with a button that copies it, which can get the focus when it appears. */
export function Secret({
  label,
  text,
  hasFocus = false,
}: {
  label: string;
  text: string;
  hasFocus?: boolean;
}) {
  const id = useId();
  const part = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (hasFocus) {
      part.current?.querySelector("button")?.focus();
    }
  }, [hasFocus]);
  return (
    <div className="secret" ref={part}>
      <label htmlFor={id}>{label}</label>
      <output id={id} className="secret-text">
        {text}
      </output>
      <Button look="outlined" onClick={() => void copy(text)}>
        {t.secret.copy}
      </Button>
    </div>
  );
}

/** Says how a dialog with a secret closes, after the member has tried to close it in another way. */
export function KeepNote({ isAsked }: { isAsked: boolean }) {
  return (
    <p className="field-problem" role="alert">
      {isAsked && t.secret.keepFirst(t.apiTokens.done)}
    </p>
  );
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify(t.secret.copied);
  } catch {
    notify(t.secret.notCopied, "bad"); // not permitted, or not a secure page
  }
}
