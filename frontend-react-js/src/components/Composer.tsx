import {
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useId,
  useRef,
} from "react";
import { notifyError } from "../queries/client";
import { countChars, isBlank } from "../text/chars";
import { Button } from "./Button";
import { Completion } from "./Completion";
import { Counter } from "./Counter";
import { ProblemNote } from "./Problem";
import "./Composer.css";

/**
 * The form for a text: a crud, a reply, a message.
 *
 * The text stays until the server has accepted it. Ctrl+Enter or Cmd+Enter sends it; with
 * `enterSends`, Enter alone does.
 */
export function Composer({
  label,
  placeholder,
  action,
  text,
  max,
  busy,
  isHeld = false,
  error,
  onText,
  onSend,
  onDone,
  enterSends = false,
  completes = false,
  children,
}: {
  label: string;
  placeholder: string;
  action: string;
  text: string;
  max: number;
  busy: boolean;
  /** Whether something has to end before the text can be sent. */
  isHeld?: boolean;
  error: unknown;
  onText: (text: string) => void;
  /** Sends the text. `error` shows why it failed. */
  onSend: () => Promise<void>;
  /** Called after sending, unless the composer was closed in the meantime. */
  onDone?: (() => void) | undefined;
  enterSends?: boolean;
  /** Whether mentions and tags are completed. */
  completes?: boolean;
  children?: ReactNode;
}) {
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const isSending = useRef(false); // set at once, while `busy` changes with the next render
  const isMounted = useRef(true);
  useGrowing(area, text);
  useEffect(() => {
    isMounted.current = true;
    return () => {
      isMounted.current = false;
    };
  }, []);
  const count = countChars(text);
  const isSendable = !isBlank(text) && count <= max && !isHeld;
  const send = async () => {
    if (!isSendable || busy || isSending.current) {
      return;
    }
    isSending.current = true;
    try {
      await onSend();
      if (isMounted.current) {
        area.current?.focus({ preventScroll: true }); // the button is disabled now
        onDone?.();
      }
    } catch (failure) {
      if (!isMounted.current) {
        notifyError(failure);
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
      <div className="composer-field">
        <textarea
          ref={area}
          id={id}
          rows={1}
          dir="auto"
          placeholder={placeholder}
          value={text}
          readOnly={busy}
          aria-invalid={count > max || undefined}
          onChange={(event) => onText(event.target.value)}
          onKeyDown={(event) => {
            // An on-screen keyboard has no other key for a new line.
            const shouldSend =
              enterSends && !matchMedia("(pointer: coarse)").matches
                ? !event.shiftKey
                : event.ctrlKey || event.metaKey;
            if (event.key === "Enter" && shouldSend && !isComposing(event)) {
              event.preventDefault();
              event.currentTarget.form?.requestSubmit();
            }
          }}
        />
        {completes && <Completion area={area} text={text} onText={onText} />}
      </div>
      {error !== null && error !== undefined && <ProblemNote error={error} />}
      <div className="composer-foot">
        {children}
        <Counter count={count} max={max} />
        <Button type="submit" busy={busy} disabled={!isSendable}>
          {action}
        </Button>
      </div>
    </form>
  );
}

/** Whether Enter ends the composition of a character. Safari shows that only by the key code. */
function isComposing({ nativeEvent, keyCode }: KeyboardEvent): boolean {
  return nativeEvent.isComposing || keyCode === 229;
}

/** Keep a text area as tall as its text, also when the window changes. */
function useGrowing(area: RefObject<HTMLTextAreaElement | null>, text: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text changes the height.
  useEffect(() => {
    const grow = () => {
      const { current } = area;
      if (current !== null) {
        current.style.height = "auto";
        const edges = current.offsetHeight - current.clientHeight;
        current.style.height = `${current.scrollHeight + edges}px`;
      }
    };
    grow();
    addEventListener("resize", grow);
    return () => removeEventListener("resize", grow);
  }, [area, text]);
}
