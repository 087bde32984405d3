/** Values that are kept on this device. Where storage is disabled, they are forgotten on reload. */

export function load(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Store a value; null deletes it. */
export function store(name: string, value: string | null): void {
  try {
    if (value === null) {
      localStorage.removeItem(name);
    } else {
      localStorage.setItem(name, value);
    }
  } catch {
    // Storage is disabled.
  }
}
