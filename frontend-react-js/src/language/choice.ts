/**
 * Which language the page is in: the one that was chosen on this device, or else the first
 * language of the browser that the page has.
 */

import { load, store } from "../storage";
import type { Catalogue } from ".";

/** The languages of the page, each by its own name. */
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;

export type Language = keyof typeof LANGUAGES;

/** Load the messages of a language; null for English, which the first script has. */
export async function loadCatalogue(language: Language): Promise<Catalogue | null> {
  return language === "en" ? null : await TRANSLATIONS[language]();
}

const TRANSLATIONS: Record<Exclude<Language, "en">, () => Promise<Catalogue>> = {
  de: () => import("./de").then(({ de }) => de),
};

const CHOICE = "cruddur.language";

export function preferredLanguage(): Language {
  return [load(CHOICE), ...navigator.languages.map(baseOf)].find(isLanguage) ?? "en";
}

/** The browser's own variant of a language, such as `en-GB`, or else the language itself. */
export function localeOf(language: Language): string {
  const isVariant = new RegExp(`^${language}(-[a-z\\d]{2,8})*$`, "i"); // Intl rejects "en-US@posix"
  return navigator.languages.find((tag) => isVariant.test(tag)) ?? language;
}

/** Remember a choice on this device. */
export function saveChoice(language: Language): void {
  store(CHOICE, language);
}

function baseOf(tag: string): string | undefined {
  return tag.toLowerCase().split("-")[0];
}

function isLanguage(name: string | null | undefined): name is Language {
  return typeof name === "string" && Object.hasOwn(LANGUAGES, name);
}
