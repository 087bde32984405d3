import { useState } from "react";
import type { Ttl } from "../api/wire";
import { useMember } from "../queries/session";

/** An unsent text, and the key that prevents a second post of it. */
export interface Draft {
  readonly text: string;
  readonly key: string;
  /** How long the crud will live. */
  readonly ttl: Ttl;
}

const TTL: Ttl = "7-days";

/**
 * A draft that survives a failed post, a closed dialog and a reload of the page.
 *
 * The key stays the same until the draft changes. A second press, or a retry after a lost
 * response, is therefore the same post to the server.
 */
export function useDraft(purpose: string) {
  const name = `${PREFIX}${useMember()?.uuid ?? ""}.${purpose}`;
  const [draft, setDraft] = useState(() => load(name));
  const set = (next: Draft) => {
    setDraft(next);
    save(name, next);
  };
  return {
    ...draft,
    setText: (text: string) => set({ ...draft, text, key: newKey() }),
    setTtl: (ttl: Ttl) => set({ ...draft, ttl, key: newKey() }),
    clear: () => set(empty()),
  };
}

export function newKey(): string {
  return crypto.randomUUID?.() ?? crypto.getRandomValues(new Uint32Array(4)).join("-");
}

const PREFIX = "cruddur.draft.";

function load(name: string): Draft {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(name) ?? "null");
    if (isDraft(found)) {
      return found;
    }
  } catch {
    // Storage is disabled, or holds something else.
  }
  return empty();
}

function empty(): Draft {
  return { text: "", key: newKey(), ttl: TTL };
}

function save(name: string, draft: Draft): void {
  try {
    if (draft.text === "" && draft.ttl === TTL) {
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
    typeof found.ttl === "string"
  );
}
