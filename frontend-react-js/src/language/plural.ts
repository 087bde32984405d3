/** Texts that depend on a number. */

/** A text for each plural form of a language; `other` is the text for the forms that it lacks. */
type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };

/** Return a function that chooses the text for a number, by the rules of a language. */
export function pluralsOf(language: string): (count: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(language);
  return (count, forms) => forms[rules.select(count)] ?? forms.other;
}
