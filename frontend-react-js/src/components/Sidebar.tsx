import { Link, useLocation, useMatch } from "react-router";
import type { Member } from "../api/wire";
import { t } from "../language";
import { useCanJoin } from "../queries/instance";
import { useMember } from "../queries/session";
import { useTrending } from "../queries/trends";
import { useSuggested } from "../queries/users";
import { profileAddress, searchAddress, searchTerm } from "../text/addresses";
import { ButtonLink } from "./Button";
import { PersonLink } from "./PersonLink";
import { useHere } from "./routeState";
import { SearchForm } from "./SearchForm";
import "./Sidebar.css";

/** Search, an invitation for visitors, trending tags and suggested people. */
export function Sidebar({ member, isKnown }: { member: Member | null; isKnown: boolean }) {
  const { search } = useLocation();
  const isPending = useIsPending();
  const isSearch = useMatch("/search") !== null;
  const canJoin = useCanJoin();
  const isOnPage = isSearch && searchTerm(search) === "";
  return (
    <aside className="sidebar" aria-label={t.sidebar.label}>
      <div className="sidebar-column">
        {!isSearch && <SearchForm />}
        {member === null && isKnown && canJoin && <Join />}
        {!isOnPage && <Ideas />}
        {!isPending && <FootLinks />}
      </div>
    </aside>
  );
}

function Join() {
  const state = { from: useHere() };
  return (
    <section className="box join" aria-label={t.sidebar.joinLabel}>
      <h2>{t.sidebar.join}</h2>
      <p>{t.sidebar.say}</p>
      <p>{t.sidebar.crud}</p>
      <p>{t.sidebar.forget}</p>
      <ButtonLink to="/signup" state={state}>
        {t.account.join}
      </ButtonLink>
      <ButtonLink to="/signin" look="plain" state={state}>
        {t.account.signIn}
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
    <section className="box" aria-label={t.sidebar.trendingLabel}>
      <h2>{t.sidebar.trending}</h2>
      <ol>
        {tags.map(({ tag, count }) => (
          <li key={tag}>
            <Link className="box-row" to={searchAddress(`#${tag}`)}>
              <b dir="auto">#{tag}</b>
              <span>{t.sidebar.cruds(count)}</span>
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
    <section className="box" aria-label={t.sidebar.suggested}>
      <h2>{t.sidebar.suggested}</h2>
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
  const isMember = useMember() !== null; // members have Settings in the navigation
  return (
    <footer className="foot-links">
      <Link to="/about">{t.nav.about}</Link>
      {!isMember && <Link to="/settings">{t.nav.settings}</Link>}
      <Link to="/terms">{t.nav.terms}</Link>
      <Link to="/privacy">{t.nav.privacy}</Link>
    </footer>
  );
}
