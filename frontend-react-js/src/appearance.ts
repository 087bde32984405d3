/** The theme that was chosen on this device. `theme.ts` shows it. */

export const THEMES = ["system", "light", "dark"] as const;

export type Theme = (typeof THEMES)[number];

export function chosenTheme(): Theme {
  const { theme } = document.documentElement.dataset;
  return THEMES.find((one) => one === theme) ?? "system";
}

export function setTheme(theme: Theme): void {
  try {
    if (theme === "system") {
      localStorage.removeItem(NAME);
    } else {
      localStorage.setItem(NAME, theme);
    }
  } catch {
    // Storage is disabled: the choice is forgotten on reload.
  }
  dispatchEvent(new CustomEvent("theme", { detail: theme }));
}

const NAME = "cruddur.theme";
