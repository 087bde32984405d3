/**
 * Entry point of a script that runs before the first paint: show the theme that was chosen on this
 * device. Without a choice, the theme is the system's.
 *
 * `theme` events come from the settings, `storage` events from other tabs. This file imports
 * nothing, because only a script that is no module runs so early.
 */

(() => {
  const root = document.documentElement;
  const colors = { dark: "#08010e", light: "#fdfbff" }; // --feed

  const show = (name: unknown) => {
    const theme = name === "dark" || name === "light" ? name : undefined;
    if (theme === undefined) {
      delete root.dataset.theme;
    } else {
      root.dataset.theme = theme;
    }
    for (const meta of document.querySelectorAll("meta")) {
      if (meta.name === "theme-color") {
        meta.content = colors[theme ?? (meta.media.includes("dark") ? "dark" : "light")];
      } else if (meta.name === "color-scheme") {
        meta.content = theme ?? "dark light";
      }
    }
  };

  const stored = () => {
    try {
      return localStorage.getItem("cruddur.theme");
    } catch {
      return null; // storage is disabled
    }
  };

  show(stored());
  addEventListener("storage", () => show(stored()));
  addEventListener("theme", (event) => show(event instanceof CustomEvent && event.detail));
})();
