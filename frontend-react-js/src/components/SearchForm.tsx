import { useEffect, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { t } from "../language";
import { useKeyOf } from "../shortcuts";
import { searchAddress } from "../text/addresses";
import { isBlank } from "../text/chars";
import { Icon } from "./Icon";
import "./SearchForm.css";

const TERM_CHARS = 200;

/** The search field. `term` is the current search term. */
export function SearchForm({
  term = "",
  autoFocus = false,
}: {
  term?: string;
  autoFocus?: boolean;
}) {
  const [text, setText] = useState(term);
  const navigate = useNavigate();
  const key = useKeyOf("/");
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => setText(term), [term]);
  useEffect(() => {
    if (autoFocus) {
      input.current?.focus(); // after the navigation has focused the page
    }
  }, [autoFocus]);
  return (
    <search>
      <form
        className="search"
        onSubmit={(event) => {
          event.preventDefault();
          const wanted = text.trim();
          if (!isBlank(wanted)) {
            void navigate(searchAddress(wanted));
          }
        }}
      >
        <Icon name="search" />
        <input
          ref={input}
          type="search"
          aria-keyshortcuts={key}
          aria-label={t.sidebar.searchCruddur}
          placeholder={t.sidebar.searchCruddur}
          value={text}
          maxLength={TERM_CHARS}
          onChange={(event) => setText(event.target.value)}
        />
      </form>
    </search>
  );
}
