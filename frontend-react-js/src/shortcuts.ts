/** Whether keyboard shortcuts are on, on this device. */

import { useSyncExternalStore } from "react";
import { load, store } from "./storage";

const NAME = "cruddur.shortcuts";
const OFF = "off";

const listeners = new Set<() => void>();
let isOn = load(NAME) !== OFF;

export function useShortcuts(): boolean {
  return useSyncExternalStore(onChange, () => isOn);
}

/** The value of `aria-keyshortcuts` of a control. */
export function useKeyOf(key: string): string | undefined {
  return useShortcuts() ? key : undefined;
}

export function setShortcuts(next: boolean): void {
  store(NAME, next ? null : OFF);
  isOn = next;
  for (const listener of listeners) {
    listener();
  }
}

function onChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
