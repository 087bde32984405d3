import { useEffect, useRef, useState } from "react";
import { type NavigateFunction, useNavigate } from "react-router";
import type { Member } from "../api/wire";
import { useMember } from "../queries/session";
import { useShortcuts } from "../shortcuts";
import { profileAddress } from "../text/addresses";
import { ShortcutSheet } from "./ShortcutSheet";

/** Milliseconds in which the second key must follow "g". */
const PAUSE = 2_000;

/**
 * The keyboard shortcuts of all pages. A shortcut presses the control that does the same.
 *
 * They are off while the viewer types, while a dialog is open, and together with Ctrl, Alt or Cmd.
 */
export function Shortcuts() {
  const isOn = useShortcuts();
  const navigate = useNavigate();
  const member = useMember();
  const [isSheetOpen, setSheetOpen] = useState(false);
  const isGoing = useRef<number>(undefined);
  useEffect(() => {
    if (!isOn) {
      return;
    }
    const listen = (event: KeyboardEvent) => {
      if (isForOthers(event)) {
        return;
      }
      const key = keyOf(event);
      const isSecond = isGoing.current !== undefined && event.timeStamp - isGoing.current < PAUSE;
      isGoing.current = undefined;
      const act = isSecond ? placeFor(key, member, navigate) : actionFor(key, navigate);
      if (act !== undefined) {
        event.preventDefault(); // the key must not also be typed
        act();
      } else if (key === "?") {
        event.preventDefault();
        setSheetOpen(true);
      } else if (key === "g") {
        isGoing.current = event.timeStamp;
      }
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [isOn, navigate, member]);
  useEffect(() => {
    // The shortcut of the installed app.
    if (member !== null && location.hash === "#new") {
      history.replaceState(history.state, "", location.pathname);
      press(".nav-compose");
    }
  }, [member]);
  return isSheetOpen && <ShortcutSheet onClose={() => setSheetOpen(false)} />;
}

/** Whether a key belongs to a control, to the browser, or to what is being typed. */
function isForOthers(event: KeyboardEvent): boolean {
  const { target } = event;
  return (
    event.defaultPrevented ||
    event.isComposing ||
    event.ctrlKey ||
    event.altKey ||
    event.metaKey ||
    (target instanceof Element &&
      target.closest("input, textarea, select, [contenteditable]") !== null) ||
    document.querySelector("dialog[open]") !== null
  );
}

/** The key in Latin script, also on a keyboard of another script. */
function keyOf({ key, code }: KeyboardEvent): string {
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  return key.length === 1 && key > "~" && letter !== undefined ? letter.toLowerCase() : key;
}

function actionFor(key: string, navigate: NavigateFunction): (() => void) | undefined {
  const crud = document.activeElement?.closest<HTMLElement>("article");
  switch (key) {
    case "j":
      return () => focusCrud(1);
    case "k":
      return () => focusCrud(-1);
    case "l":
      return crud ? () => press(".action-heart", crud) : undefined;
    case "r":
      return crud ? () => press(".action-reply", crud) : undefined;
    case "Enter":
      return crud === document.activeElement ? () => press(".crud-time", crud) : undefined;
    case "n":
      return () => press(".nav-compose");
    case "/":
      return () => focusSearch(navigate);
    default:
      return undefined;
  }
}

/** What the second key after "g" does. */
function placeFor(
  key: string,
  member: Member | null,
  navigate: NavigateFunction,
): (() => void) | undefined {
  const places: Record<string, string | null> = {
    h: "/",
    n: "/notifications",
    m: "/messages",
    p: member && profileAddress(member),
    s: "/settings",
  };
  const place = places[key];
  return place ? () => void navigate(place) : undefined;
}

/** Press a control, which may be hidden on a narrow screen. */
function press(selector: string, within: ParentNode | null = document): void {
  within?.querySelector<HTMLElement>(selector)?.click();
}

/** Move the focus to the next or previous crud; at first to the first one on screen. */
function focusCrud(step: 1 | -1): void {
  const cruds = [
    ...document.querySelectorAll<HTMLElement>("main article:not(.crud-fading, .crud-pending)"),
  ];
  const current = document.activeElement?.closest<HTMLElement>("article");
  const place = current ? cruds.indexOf(current) : -1;
  const next =
    place < 0
      ? cruds.find((crud) => crud.getBoundingClientRect().bottom > window.innerHeight / 8)
      : cruds[place + step];
  if (next !== undefined) {
    next.tabIndex = -1;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }
}

function focusSearch(navigate: NavigateFunction): void {
  const field = [...document.querySelectorAll<HTMLInputElement>(".search input")].find((input) =>
    input.checkVisibility(),
  );
  if (field === undefined) {
    void navigate("/search"); // gives its field the focus
  } else {
    field.focus();
    field.select();
  }
}
