import { useEffect, useState } from "react";

/**
 * Keep a dialog open while it shows a secret that is not shown again: only its button closes it then.
 *
 * `close` closes the dialog if it has no secret. `isAsked`: the member has tried to close it.
 */
export function useKeptOpen(
  hasSecret: boolean,
  onClose: () => void,
): { close: () => void; isAsked: boolean } {
  const [isAsked, setAsked] = useState(false);
  useEffect(() => {
    if (!hasSecret) {
      return;
    }
    // A browser lets no dialog refuse Escape twice, unless the key itself is cancelled.
    const listen = (event: KeyboardEvent) => {
      if (event.key === "Escape") {
        event.preventDefault();
        setAsked(true);
      }
    };
    addEventListener("keydown", listen, { capture: true });
    return () => removeEventListener("keydown", listen, { capture: true });
  }, [hasSecret]);
  return { close: hasSecret ? () => setAsked(true) : onClose, isAsked };
}
