/**
 * The window's titles of pages about people and cruds. The service puts the same titles, in
 * English, into the document (`routes/page_heads.py`).
 */

import type { Crud, Profile } from "../api/wire";
import { t } from "../language";

/** Characters of a crud in its title. */
const MAX_CHARS = 70;

/** "Worf: “Today is a good day to crud”" */
export function crudTitle({ display_name, message }: Pick<Crud, "display_name" | "message">) {
  return t.titles.crud(display_name, excerpt(message, MAX_CHARS));
}

/** "Worf (@worf)" */
export function profileTitle({ display_name, handle }: Pick<Profile, "display_name" | "handle">) {
  return `${display_name} (@${handle})`;
}

/** A text on one line, cut after `max` characters. */
function excerpt(text: string, max: number): string {
  const chars = [...text.trim().replace(/\s+/g, " ")];
  return chars.length <= max
    ? chars.join("")
    : `${chars
        .slice(0, max - 1)
        .join("")
        .trimEnd()}…`;
}
