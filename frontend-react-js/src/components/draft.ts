import { useRef, useState } from "react";
import type { Ttl } from "../api/wire";
import { useMember } from "../queries/session";
import { load, store } from "../storage";
import { isTtl } from "../text/lifetimes";

/** A picture that was uploaded for a draft. */
export interface DraftPicture {
  readonly uuid: string;
  readonly width: number;
  readonly height: number;
  /** What it shows, for those who can’t see it. */
  readonly alt: string;
  /** An address of the file, which is valid until the page is reloaded. */
  readonly preview?: string;
}

/** An unsent text with its pictures, and the key that prevents a second post of it. */
export interface Draft {
  readonly text: string;
  readonly key: string;
  /** How long the crud will live; null while the member has never chosen. */
  readonly ttl: Ttl | null;
  readonly pictures: readonly DraftPicture[];
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
  const latest = useRef(draft); // an upload ends after later changes
  const set = (next: Draft) => {
    latest.current = next;
    setDraft(next);
    saveDraft(name, next);
  };
  const change = (changed: Partial<Draft>) => set({ ...latest.current, ...changed, key: newKey() });
  return {
    ...draft,
    setText: (text: string) => change({ text }),
    setTtl: (ttl: Ttl) => {
      change({ ttl });
      store(TTL_PREFIX + member, ttl);
    },
    setPictures: (by: (pictures: readonly DraftPicture[]) => readonly DraftPicture[]) =>
      change({ pictures: by(latest.current.pictures) }),
    clear: () => set(empty(draft.ttl)),
  };
}

export function newKey(): string {
  return crypto.randomUUID?.() ?? crypto.getRandomValues(new Uint32Array(4)).join("-");
}

const PREFIX = "cruddur.draft.";
const TTL_PREFIX = "cruddur.ttl.";

function loadTtl(member: string): Ttl | null {
  const found = load(TTL_PREFIX + member);
  return isTtl(found) ? found : null;
}

function loadDraft(name: string): Draft | undefined {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(name) ?? "null");
    if (isDraft(found)) {
      const { pictures = [] } = found; // an earlier version of the page stored none
      return { ...found, pictures: pictures.map(({ preview: _, ...picture }) => picture) };
    }
  } catch {
    // Storage is disabled, or holds something else.
  }
  return undefined;
}

function empty(ttl: Ttl | null): Draft {
  return { text: "", key: newKey(), ttl, pictures: [] };
}

function saveDraft(name: string, draft: Draft): void {
  try {
    if (draft.text === "" && draft.pictures.length === 0) {
      sessionStorage.removeItem(name);
    } else {
      sessionStorage.setItem(name, JSON.stringify(draft));
    }
  } catch {
    // Storage is disabled: the draft is lost on reload.
  }
}

function isDraft(found: unknown): found is Omit<Draft, "pictures"> & Partial<Draft> {
  return (
    typeof found === "object" &&
    found !== null &&
    "text" in found &&
    "key" in found &&
    "ttl" in found &&
    typeof found.text === "string" &&
    typeof found.key === "string" &&
    (found.ttl === null || isTtl(found.ttl))
  );
}
