import { type RefObject, useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import type { ShortUser } from "../api/wire";
import { t } from "../language/further";
import { useTagsByPrefix, useUsersByPrefix } from "../queries/completion";
import { useTrending } from "../queries/trends";
import { useSuggested } from "../queries/users";
import { type Beginning, beginningAt, complete } from "../text/completion";
import { PersonName } from "./PersonLink";
import "./Completion.css";

/** Milliseconds without a key after which completions are requested. */
const PAUSE = 150;

const SIGN = /[@＠#＃]/;

/**
 * Completes the mention or tag that is being typed in a text area, in a list below it.
 *
 * The pattern is a combobox with a list (https://www.w3.org/WAI/ARIA/apg/patterns/combobox/). A text
 * area with several lines must not have the role `combobox`, so it stays a text box with the same
 * properties, and the number of suggestions is announced.
 */
export function Completion({
  area,
  text,
  onText,
}: {
  area: RefObject<HTMLTextAreaElement | null>;
  text: string;
  onText: (text: string) => void;
}) {
  const id = useId();
  const caret = useCaret(area);
  const beginning = caret === null ? null : beginningAt(text, caret);
  const [dismissed, setDismissed] = useState<number>();
  const options = useOptions(beginning);
  const isOpen = beginning !== null && beginning.start !== dismissed && options.length > 0;
  const typed = beginning?.word.toLowerCase();
  // Enter must not replace a word that is complete already.
  const first = options.some(({ word }) => word === typed) ? -1 : 0;
  const { active, step } = useActiveOption(typed, options.length, first);

  const accept = (index: number) => {
    const option = options[index];
    if (option !== undefined && beginning !== null && caret !== null) {
      const completed = complete(text, caret, beginning, option.word);
      placeCaret.current = completed.caret;
      onText(completed.text);
    }
  };
  const placeCaret = useRef<number>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the new text moves the caret to its end.
  useLayoutEffect(() => {
    if (placeCaret.current !== undefined) {
      area.current?.setSelectionRange(placeCaret.current, placeCaret.current);
      placeCaret.current = undefined;
    }
  }, [area, text]);

  const onKey = useRef<(event: KeyboardEvent) => boolean>(undefined);
  useEffect(() => {
    onKey.current = (event) => {
      const isPlain = !(event.ctrlKey || event.metaKey || event.altKey || event.shiftKey);
      if (!isOpen || event.isComposing || !isPlain) {
        return false;
      }
      if (step(event.key)) {
        return true;
      }
      if (event.key === "Escape") {
        setDismissed(beginning.start);
        return true;
      }
      if ((event.key === "Enter" || event.key === "Tab") && active >= 0) {
        accept(active);
        return true;
      }
      return false;
    };
  });
  useEffect(() => {
    const element = area.current;
    const listen = (event: KeyboardEvent) => {
      if (onKey.current?.(event)) {
        event.preventDefault(); // also keeps a dialog open
        event.stopPropagation();
      }
    };
    element?.addEventListener("keydown", listen);
    return () => element?.removeEventListener("keydown", listen);
  }, [area]);

  useEffect(() => {
    const element = area.current;
    element?.setAttribute("aria-autocomplete", "list");
    element?.setAttribute("aria-haspopup", "listbox");
    toggle(element, "aria-controls", isOpen ? id : undefined);
    toggle(element, "aria-activedescendant", isOpen && active >= 0 ? `${id}-${active}` : undefined);
  }, [area, id, isOpen, active]);
  useEffect(() => {
    if (dismissed !== undefined && !SIGN.test(text.charAt(dismissed))) {
      setDismissed(undefined); // the word was deleted
    }
  }, [text, dismissed]);

  return (
    <>
      <span className="unseen" aria-live="polite">
        {isOpen && t.completion.count(options.length)}
      </span>
      {isOpen && (
        <Options
          id={id}
          label={t.completion.suggestions}
          options={options}
          active={active}
          onAccept={accept}
        />
      )}
    </>
  );
}

/** The list of a combobox. The id of an option is that of the list and its index. */
export function Options({
  id,
  label,
  options,
  active,
  onAccept,
}: {
  id: string;
  label: string;
  options: readonly Option[];
  /** The index of the active option; negative if there is none. */
  active: number;
  onAccept: (index: number) => void;
}) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: "nearest" });
  }, [active]);
  return (
    <ul
      ref={list}
      className="completion"
      id={id}
      // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: the pattern's list.
      role="listbox"
      aria-label={label}
    >
      {options.map(({ word, person }, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the focus and the keys.
        // biome-ignore lint/a11y/useFocusableInteractive: as above.
        <li
          key={word}
          id={`${id}-${index}`}
          className="completion-option"
          // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: the pattern's option.
          role="option"
          aria-selected={index === active}
          onPointerDown={(event) => event.preventDefault()} // the field keeps the focus
          onClick={() => onAccept(index)}
        >
          {person === undefined ? <b dir="auto">#{word}</b> : <PersonName person={person} />}
        </li>
      ))}
    </ul>
  );
}

/**
 * The index of the active option, which is `first` again after the text has changed. `step` moves it
 * with the arrow keys, and returns whether the key is one.
 */
export function useActiveOption(typed: string | undefined, count: number, first: number) {
  const [chosen, setChosen] = useState({ typed, index: first });
  const active = chosen.typed === typed ? Math.min(chosen.index, count - 1) : first;
  const step = (key: string): boolean => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (by === undefined) {
      return false;
    }
    const index = active < 0 && by < 0 ? 0 : active; // up from none is the last one
    setChosen({ typed, index: (index + by + count) % count });
    return true;
  };
  return { active, step };
}

export interface Option {
  readonly word: string;
  /** Undefined for a tag. */
  readonly person?: ShortUser;
}

/** What completes a beginning. Without a word: suggested people, and trending tags. */
function useOptions(beginning: Beginning | null): readonly Option[] {
  const word = usePaused(beginning?.word ?? "");
  const isMention = beginning?.kind === "mention";
  const isTag = beginning?.kind === "tag";
  const people = useUsersByPrefix(isMention ? word : null).data ?? [];
  const tags = useTagsByPrefix(isTag ? word : null).data ?? [];
  const suggested = useSuggested(isMention).data ?? [];
  const trending = (useTrending(isTag).data ?? []).map(({ tag }) => tag);
  if (isMention) {
    const found = beginning.word === "" ? suggested : word === "" ? [] : people;
    return found.map((person) => ({ word: person.handle, person }));
  }
  if (!isTag) {
    return [];
  }
  const typed = beginning.word.toLowerCase().normalize("NFC");
  const popular = trending.filter((tag) => tag.startsWith(typed));
  const found = new Set(typed === "" || word === "" ? popular : [...popular, ...tags]);
  return [...found]
    .filter((tag) => tag.startsWith(typed))
    .slice(0, MAX_TAGS)
    .map((tag) => ({ word: tag }));
}

const MAX_TAGS = 8;

/** The caret of a text area that has the focus and no selection; null otherwise. */
function useCaret(area: RefObject<HTMLTextAreaElement | null>): number | null {
  const [caret, setCaret] = useState<number | null>(null);
  useEffect(() => {
    const read = () => {
      const element = area.current;
      const isCaret = element !== null && element.selectionStart === element.selectionEnd;
      setCaret(isCaret && document.activeElement === element ? element.selectionStart : null);
    };
    const events = ["selectionchange", "input", "focusin", "focusout", "keyup"];
    for (const name of events) {
      document.addEventListener(name, read);
    }
    read();
    return () => {
      for (const name of events) {
        document.removeEventListener(name, read);
      }
    };
  }, [area]);
  return caret;
}

/** A word, once it has not changed for a moment. */
function usePaused(word: string): string {
  const [paused, setPaused] = useState(word);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(word), PAUSE);
    return () => clearTimeout(timer);
  }, [word]);
  return paused;
}

function toggle(element: Element | null, name: string, value: string | undefined): void {
  if (value === undefined) {
    element?.removeAttribute(name);
  } else {
    element?.setAttribute(name, value);
  }
}
