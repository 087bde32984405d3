/** The theme that was chosen on this device. `theme.ts` shows it. */

import { store } from "./storage";

export const THEMES = ["system", "light", "dark"] as const;

export type Theme = (typeof THEMES)[number];

export function chosenTheme(): Theme {
  const { theme } = document.documentElement.dataset;
  return THEMES.find((one) => one === theme) ?? "system";
}

export function setTheme(theme: Theme): void {
  store(NAME, theme === "system" ? null : theme);
  dispatchEvent(new CustomEvent("theme", { detail: theme }));
}

const NAME = "cruddur.theme";
