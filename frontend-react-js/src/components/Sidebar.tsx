import { Link, useLocation } from "react-router";
import type { Member } from "../api/wire";
import { useTrending } from "../queries/trends";
import { useSuggested } from "../queries/users";
import { profileAddress, searchAddress } from "../text/addresses";
import { ButtonLink } from "./Button";
import { PersonLink } from "./PersonLink";
import { useHere } from "./routeState";
import { SearchForm } from "./SearchForm";
import "./Sidebar.css";

/** Search, an invitation for visitors, trending tags and suggested people. */
export function Sidebar({ member, isKnown }: { member: Member | null; isKnown: boolean }) {
  const { pathname, search } = useLocation();
  const isPending = useIsPending();
  const isOnPage = pathname === "/search" && search === "";
  return (
    <aside className="sidebar" aria-label="More on Cruddur">
      <div className="sidebar-column">
        {pathname !== "/search" && <SearchForm />}
        {member === null && isKnown && <Join />}
        {!isOnPage && <Ideas />}
        {!isPending && <FootLinks />}
      </div>
    </aside>
  );
}

function Join() {
  const state = { from: useHere() };
  return (
    <section className="box join" aria-label="Join">
      <h2>Join the party!</h2>
      <p>Have something you want to say?</p>
      <p>Don’t think about it, just crud it.</p>
      <p>Regret it? No worries, we’ll forget it…</p>
      <ButtonLink to="/signup" state={state}>
        Join now
      </ButtonLink>
      <ButtonLink to="/signin" look="plain" state={state}>
        Sign in
      </ButtonLink>
    </section>
  );
}

/** Trending tags and suggested people, both at once: neither moves the other. */
export function Ideas() {
  const isPending = useIsPending();
  return (
    !isPending && (
      <>
        <Trending />
        <Suggested />
      </>
    )
  );
}

function useIsPending(): boolean {
  const isTrendingPending = useTrending().isPending;
  const isSuggestedPending = useSuggested().isPending;
  return isTrendingPending || isSuggestedPending;
}

function Trending() {
  const { data: tags = [] } = useTrending();
  if (tags.length === 0) {
    return null;
  }
  return (
    <section className="box" aria-label="Trending">
      <h2>Trending now</h2>
      <ol>
        {tags.map(({ tag, count }) => (
          <li key={tag}>
            <Link className="box-row" to={searchAddress(`#${tag}`)}>
              <b dir="auto">#{tag}</b>
              <span>{count === 1 ? "1 crud" : `${count} cruds`}</span>
            </Link>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Suggested() {
  const { data: people = [] } = useSuggested();
  if (people.length === 0) {
    return null;
  }
  return (
    <section className="box" aria-label="Suggested people">
      <h2>Suggested people</h2>
      <ul>
        {people.map((person) => (
          <li key={person.uuid}>
            <PersonLink person={person} to={profileAddress(person)} />
          </li>
        ))}
      </ul>
    </section>
  );
}

export function FootLinks() {
  return (
    <footer className="foot-links">
      <Link to="/about">About</Link>
      <Link to="/terms">Terms of service</Link>
      <Link to="/privacy">Privacy policy</Link>
    </footer>
  );
}
