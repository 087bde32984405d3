import { useLocation } from "react-router";
import { Button } from "../components/Button";
import { Feed } from "../components/Feed";
import { Empty, Skeleton } from "../components/List";
import { useMemberAction } from "../components/memberAction";
import { PageHead } from "../components/PageHead";
import { PersonRows } from "../components/PersonRow";
import { SearchForm } from "../components/SearchForm";
import { Ideas } from "../components/Sidebar";
import { t } from "../language/further";
import { useSearch } from "../queries/activities";
import { useFollowedTags, useFollowTag, usePeople } from "../queries/follows";
import { searchTerm } from "../text/addresses";
import "./Search.css";

/** The cruds that match a search term. Without a term: trending tags and suggested people. */
export function Search() {
  const term = searchTerm(useLocation().search);
  return (
    <>
      <PageHead title={t.search.title} />
      <div className="search-bar">
        <SearchForm term={term} autoFocus={term === ""} />
        <p>{t.search.help}</p>
      </div>
      {term === "" ? (
        <div className="search-ideas">
          <Ideas />
        </div>
      ) : (
        <Results term={term} />
      )}
    </>
  );
}

function Results({ term }: { term: string }) {
  const found = useSearch(term);
  const [tag] = /^[#＃](\S+)$/.exec(term)?.slice(1) ?? [];
  const { data: people = [], isLoading: isFinding } = usePeople(term, tag === undefined);
  const { isLoading } = useFollowedTags();
  if (isFinding || (tag && isLoading)) {
    return <Skeleton />; // what loads later is above the cruds, which would move
  }
  return (
    <>
      {tag && <FollowTag tag={tag.toLowerCase()} />}
      {people.length > 0 && (
        <section aria-labelledby="people">
          <h2 id="people" className="people-title">
            {t.search.people}
          </h2>
          <PersonRows people={people} />
        </section>
      )}
      <section aria-label={t.search.results}>
        <Feed
          query={found}
          empty={
            <Empty title={t.search.empty}>
              <p>{t.search.noMatch(term)}</p>
            </Empty>
          }
        />
      </section>
    </>
  );
}

/** Follows a tag, or unfollows it. */
function FollowTag({ tag }: { tag: string }) {
  const asMember = useMemberAction();
  const follow = useFollowTag(tag);
  const { data: tags = [] } = useFollowedTags();
  const isFollowed = tags.includes(tag);
  return (
    <p className="search-tag">
      <Button
        look={isFollowed ? "outlined" : "filled"}
        aria-pressed={isFollowed}
        onClick={() => asMember(t.signInTo.followTag(tag), () => follow.mutate(!isFollowed))}
      >
        {isFollowed ? t.search.followingTag(tag) : t.search.followTag(tag)}
      </Button>
    </p>
  );
}
