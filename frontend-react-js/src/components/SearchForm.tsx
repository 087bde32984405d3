import { useEffect, useState } from "react";
import { useNavigate } from "react-router";
import { searchAddress } from "../text/addresses";
import { Icon } from "./Icon";
import "./SearchForm.css";

const TERM_CHARS = 200;

/** What to look for; `term` is what was looked for last. */
export function SearchForm({
  term = "",
  autoFocus = false,
}: {
  term?: string;
  autoFocus?: boolean;
}) {
  const [text, setText] = useState(term);
  const navigate = useNavigate();
  useEffect(() => setText(term), [term]);
  return (
    <search>
      <form
        className="search"
        onSubmit={(event) => {
          event.preventDefault();
          const wanted = text.trim();
          if (wanted !== "") {
            void navigate(searchAddress(wanted));
          }
        }}
      >
        <Icon name="search" />
        <input
          type="search"
          aria-label="Search Cruddur"
          placeholder="Search Cruddur"
          value={text}
          maxLength={TERM_CHARS}
          // biome-ignore lint/a11y/noAutofocus: the search page is there to type into.
          autoFocus={autoFocus}
          onChange={(event) => setText(event.target.value)}
        />
      </form>
    </search>
  );
}
