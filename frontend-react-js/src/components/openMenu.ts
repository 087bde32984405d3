/**
 * The menu about a user, or the question about a crud of the member, that is open. It belongs to the page, not to the card or message that opened
 * it: that one can expire or be deleted while the member writes a report, or reads the question.
 */

import type { ReportDraft, ShortUser } from "../api/wire";
import type { ListedCrud } from "../queries/feeds";

export interface OpenMenu {
  /** Ask whether to delete this crud. There is no menu. */
  readonly deleted?: ListedCrud;
  /** The row of the feed that the crud is in. */
  readonly row?: Element | null;
  readonly person: Pick<ShortUser, "handle">;
  /** What a report from this menu is about. Without it, the menu has no report. */
  readonly subject?: Pick<ReportDraft, "kind" | "uuid">;
  /** Open the dialog of this choice at once. */
  readonly choice?: Choice;
}

export type Choice = "mute" | "block" | "report";

let menu: OpenMenu | undefined;
const listeners = new Set<() => void>();

export function openMenu(opened: OpenMenu): void {
  set(opened);
}

export function closeMenu(): void {
  set(undefined);
}

export function getMenu(): OpenMenu | undefined {
  return menu;
}

/** Call `listener` at every change until the returned function is called. */
export function onMenu(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function set(next: OpenMenu | undefined): void {
  menu = next;
  for (const listener of listeners) {
    listener();
  }
}
