/** Whether keyboard shortcuts are on, on this device. */

import { useSyncExternalStore } from "react";

const NAME = "cruddur.shortcuts";
const OFF = "off";

const listeners = new Set<() => void>();
let isOn = read();

export function useShortcuts(): boolean {
  return useSyncExternalStore(onChange, () => isOn);
}

/** The value of `aria-keyshortcuts` of a control. */
export function useKeyOf(key: string): string | undefined {
  return useShortcuts() ? key : undefined;
}

export function setShortcuts(next: boolean): void {
  try {
    if (next) {
      localStorage.removeItem(NAME);
    } else {
      localStorage.setItem(NAME, OFF);
    }
  } catch {
    // Storage is disabled: the choice is forgotten on reload.
  }
  isOn = next;
  for (const listener of listeners) {
    listener();
  }
}

function read(): boolean {
  try {
    return localStorage.getItem(NAME) !== OFF;
  } catch {
    return true;
  }
}

function onChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
