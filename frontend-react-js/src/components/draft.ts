import { useState } from "react";
import type { Ttl } from "../api/wire";
import { useMember } from "../queries/session";
import { DEFAULT_TTL, isTtl } from "../text/lifetimes";

/** An unsent text, and the key that prevents a second post of it. */
export interface Draft {
  readonly text: string;
  readonly key: string;
  /** How long the crud will live. */
  readonly ttl: Ttl;
}

/**
 * A draft that survives a failed post, a closed dialog and a reload of the page.
 *
 * The key stays the same until the draft changes. A second press, or a retry after a lost
 * response, is therefore the same post to the server. The next draft begins with the lifetime
 * that the member chose last, also after a restart of the browser.
 */
export function useDraft(purpose: string) {
  const member = useMember()?.uuid ?? "";
  const name = `${PREFIX}${member}.${purpose}`;
  const [draft, setDraft] = useState(() => loadDraft(name) ?? empty(loadTtl(member)));
  const set = (next: Draft) => {
    setDraft(next);
    saveDraft(name, next);
  };
  return {
    ...draft,
    setText: (text: string) => set({ ...draft, text, key: newKey() }),
    setTtl: (ttl: Ttl) => {
      set({ ...draft, ttl, key: newKey() });
      saveTtl(member, ttl);
    },
    clear: () => set(empty(draft.ttl)),
  };
}

export function newKey(): string {
  return crypto.randomUUID?.() ?? crypto.getRandomValues(new Uint32Array(4)).join("-");
}

const PREFIX = "cruddur.draft.";
const TTL_PREFIX = "cruddur.ttl.";

function loadTtl(member: string): Ttl {
  try {
    const found = localStorage.getItem(TTL_PREFIX + member);
    return isTtl(found) ? found : DEFAULT_TTL;
  } catch {
    return DEFAULT_TTL; // storage is disabled
  }
}

function saveTtl(member: string, ttl: Ttl): void {
  try {
    localStorage.setItem(TTL_PREFIX + member, ttl);
  } catch {
    // Storage is disabled: the lifetime is forgotten on reload.
  }
}

function loadDraft(name: string): Draft | undefined {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(name) ?? "null");
    if (isDraft(found)) {
      return found;
    }
  } catch {
    // Storage is disabled, or holds something else.
  }
  return undefined;
}

function empty(ttl: Ttl): Draft {
  return { text: "", key: newKey(), ttl };
}

function saveDraft(name: string, draft: Draft): void {
  try {
    if (draft.text === "") {
      sessionStorage.removeItem(name);
    } else {
      sessionStorage.setItem(name, JSON.stringify(draft));
    }
  } catch {
    // Storage is disabled: the draft is lost on reload.
  }
}

function isDraft(found: unknown): found is Draft {
  return (
    typeof found === "object" &&
    found !== null &&
    "text" in found &&
    "key" in found &&
    "ttl" in found &&
    typeof found.text === "string" &&
    typeof found.key === "string" &&
    isTtl(found.ttl)
  );
}
