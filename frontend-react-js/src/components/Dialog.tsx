import { type CSSProperties, type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { t } from "../language";
import { IconButton } from "./Button";
import "./Dialog.css";

/** What gets the focus first: a field, or else the first button, which never deletes anything. */
const FIRST = ":is(input, select, textarea):not([hidden]), .button";

/** A modal dialog, open while it is mounted. Escape and a click outside close it. */
export function Dialog({
  title,
  width,
  onClose,
  children,
}: {
  title: string;
  /** The width of what it shows, a CSS length, if it can be wider than other dialogs. */
  width?: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isPressedOutside = useRef(false);
  const id = useId();
  useLayoutEffect(() => {
    const element = dialog.current;
    const opener = document.activeElement;
    if (element !== null && !element.open) {
      element.showModal(); // gives the focus to the button that closes it
      element.querySelector<HTMLElement>(FIRST)?.focus();
    }
    return () => {
      element?.close();
      // A closing dialog restores the focus, but not the caret. The opener may be gone.
      const next = opener?.isConnected ? opener : document.getElementById("main");
      if (next instanceof HTMLElement) {
        next.blur();
        next.focus();
      }
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does what a click outside does.
    <dialog
      ref={dialog}
      className={width ? "dialog dialog-wide" : "dialog"}
      style={{ "--shown": width } as CSSProperties}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={(event) => {
        isPressedOutside.current = event.target === dialog.current;
      }}
      onClick={(event) => {
        // Ignore a selection that was dragged out of the dialog.
        if (event.target === dialog.current && isPressedOutside.current) {
          onClose();
        }
      }}
    >
      <div className="dialog-body">
        <header className="dialog-head">
          <h2 id={id}>{title}</h2>
          <IconButton label={t.layout.close} icon="close" onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}
