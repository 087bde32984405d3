import {
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useId,
  useRef,
} from "react";
import { tell } from "../queries/client";
import { countChars } from "../text/chars";
import { Button } from "./Button";
import { Counter } from "./Counter";
import { ProblemNote } from "./Problem";
import "./Composer.css";

/**
 * Where something is written and sent: a crud, a reply, a message.
 *
 * The words stay until the server has taken them. Ctrl or Command with Enter sends; where
 * `enterSends`, Enter alone does.
 */
export function Composer({
  label,
  placeholder,
  action,
  text,
  most,
  busy,
  error,
  onText,
  onSend,
  onDone,
  enterSends = false,
  autoFocus = false,
  children,
}: {
  label: string;
  placeholder: string;
  action: string;
  text: string;
  most: number;
  busy: boolean;
  error: unknown;
  onText: (text: string) => void;
  /** Its failure is shown by `error`. */
  onSend: () => Promise<void>;
  /** Called when it was sent, unless the composer was closed meanwhile. */
  onDone?: (() => void) | undefined;
  enterSends?: boolean;
  autoFocus?: boolean;
  children?: ReactNode;
}) {
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const isSending = useRef(false); // known at once, where `busy` comes with the next drawing
  const isThere = useRef(true);
  useGrowing(area, text);
  useEffect(() => {
    if (autoFocus) {
      area.current?.focus();
    }
  }, [autoFocus]);
  useEffect(() => {
    isThere.current = true;
    return () => {
      isThere.current = false;
    };
  }, []);
  const count = countChars(text);
  const isSendable = text.trim() !== "" && count <= most;
  const send = async () => {
    if (!isSendable || busy || isSending.current) {
      return;
    }
    isSending.current = true;
    try {
      await onSend();
      if (isThere.current) {
        area.current?.focus({ preventScroll: true }); // the button has nothing to send now
        onDone?.();
      }
    } catch (failure) {
      if (!isThere.current) {
        tell(failure);
      }
    } finally {
      isSending.current = false;
    }
  };
  return (
    <form
      className="composer"
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <label className="unseen" htmlFor={id}>
        {placeholder}
      </label>
      <textarea
        ref={area}
        id={id}
        rows={1}
        dir="auto"
        placeholder={placeholder}
        value={text}
        readOnly={busy}
        aria-invalid={count > most || undefined}
        onChange={(event) => onText(event.target.value)}
        onKeyDown={(event) => {
          // A keyboard on the screen has no other key for a new line.
          const asked =
            enterSends && matchMedia("(pointer: fine)").matches
              ? !event.shiftKey
              : event.ctrlKey || event.metaKey;
          if (event.key === "Enter" && asked && !isComposing(event)) {
            event.preventDefault();
            event.currentTarget.form?.requestSubmit();
          }
        }}
      />
      {error !== null && error !== undefined && <ProblemNote error={error} />}
      <div className="composer-foot">
        {children}
        <Counter count={count} most={most} />
        <Button type="submit" busy={busy} disabled={!isSendable}>
          {action}
        </Button>
      </div>
    </form>
  );
}

/** Whether Enter ends the choice of a character; Safari tells it by the key code alone. */
function isComposing({ nativeEvent, keyCode }: KeyboardEvent): boolean {
  return nativeEvent.isComposing || keyCode === 229;
}

/** Make a text area as high as its text. */
function useGrowing(area: RefObject<HTMLTextAreaElement | null>, text: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is what changes the height.
  useEffect(() => {
    if (area.current !== null) {
      area.current.style.height = "auto";
      area.current.style.height = `${area.current.scrollHeight}px`;
    }
  }, [area, text]);
}
