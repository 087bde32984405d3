/** Numbers as text, in the locale of the page. */

import { locale, onLanguage } from "../language";

let compact = makeCompact();

onLanguage(() => {
  compact = makeCompact();
});

/** "999", "1.2K" */
export function compactNumber(count: number): string {
  return compact.format(count);
}

function makeCompact() {
  return new Intl.NumberFormat(locale, { notation: "compact" });
}
