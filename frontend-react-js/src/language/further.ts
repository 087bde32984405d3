/** The messages for the further pages: all of `t`, and those that only these pages use. */

import { setMoreErrors } from "../text/errors";
import { getTranslation, onLanguage, t as shared } from ".";
import type { First } from "./en/first";
import { type Further, further } from "./en/further";

export let t: First & Further = messages();

onLanguage(() => {
  t = messages();
});

function messages(): First & Further {
  const own = getTranslation()?.further ?? further;
  setMoreErrors(own.moreErrors);
  return { ...shared, ...own };
}
