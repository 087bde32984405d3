/**
 * The language of the page. Every text that a person reads is a message of `t`.
 *
 * The English messages are part of the first script. Another language is a script of its own, which
 * loads before the first render. A change of the language renders the whole page again, so
 * `t.home.title` is read where it is needed and never kept in a constant of a module.
 */

import { type Language, loadCatalogue, localeOf, preferredLanguage, saveChoice } from "./choice";
import { type First, first } from "./en/first";
import type { Further } from "./en/further";

/** All messages of one language. */
export interface Catalogue {
  readonly first: First;
  /** The messages that only the further pages use. */
  readonly further: Further;
}

/** The messages, in the language of the page. */
export let t: First = first;
/** The language of the page. */
export let language: Language = "en";
/** The locale in which numbers and dates are formatted. */
export let locale: string = localeOf("en");

let translation: Catalogue | null = null;
let wanted: Language = "en";
const listeners = new Set<() => void>();

export function getLanguage(): Language {
  return language;
}

/** The catalogue of the language of the page; null for English. */
export function getTranslation(): Catalogue | null {
  return translation;
}

/** Call `listener` at every change until the returned function is called. */
export function onLanguage(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Load the preferred language. If it cannot be loaded, the page is in English. */
export function startLanguage(): Promise<void> {
  return setLanguage(preferredLanguage()).catch(() => undefined);
}

/** Switch to a language and remember it on this device. Rejects if it cannot be loaded. */
export async function chooseLanguage(next: Language): Promise<void> {
  await setLanguage(next);
  saveChoice(next);
}

async function setLanguage(next: Language): Promise<void> {
  wanted = next;
  const loaded = await loadCatalogue(next);
  if (wanted !== next) {
    return; // another choice in the meantime
  }
  translation = loaded;
  language = next;
  locale = localeOf(next);
  t = loaded?.first ?? first;
  document.documentElement.lang = next;
  for (const listener of listeners) {
    listener();
  }
}
