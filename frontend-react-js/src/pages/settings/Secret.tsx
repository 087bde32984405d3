import { useEffect, useId, useRef } from "react";
import { Button } from "../../components/Button";
import { t } from "../../language/further";
import { notify } from "../../notices";

/** A text that is shown only once, with a button that copies it and gets the focus. */
export function Secret({ label, text }: { label: string; text: string }) {
  const id = useId();
  const part = useRef<HTMLDivElement>(null);
  useEffect(() => part.current?.querySelector("button")?.focus(), []);
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

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify(t.secret.copied);
  } catch {
    notify(t.secret.notCopied, "bad"); // not permitted, or not a secure page
  }
}
