import { useSearchParams } from "react-router";
import { Button } from "../components/Button";
import { Feed } from "../components/Feed";
import { Empty } from "../components/List";
import { useMemberAction } from "../components/memberAction";
import { PageHead } from "../components/PageHead";
import { PersonRows } from "../components/PersonRow";
import { SearchForm } from "../components/SearchForm";
import { Ideas } from "../components/Sidebar";
import { t } from "../language/further";
import { useSearch } from "../queries/activities";
import { useFollowedTags, useFollowTag, usePeople } from "../queries/follows";
import { useMember } from "../queries/session";
import { isBlank } from "../text/chars";
import "./Search.css";

/** The cruds that match a search term. Without a term: trending tags and suggested people. */
export function Search() {
  const [params] = useSearchParams();
  const term = params.get("term")?.trim() ?? "";
  return (
    <>
      <PageHead title={t.search.title} />
      <div className="search-bar">
        <SearchForm term={term} autoFocus={isBlank(term)} />
        <p>{t.search.help}</p>
      </div>
      {isBlank(term) ? (
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
  const { data: people = [] } = usePeople(term);
  const [tag] = /^[#＃](\S+)$/.exec(term)?.slice(1) ?? [];
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
  const isMember = useMember() !== null;
  const { data: tags } = useFollowedTags();
  if (isMember && tags === undefined) {
    return null;
  }
  const isFollowed = tags?.includes(tag) ?? false;
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
