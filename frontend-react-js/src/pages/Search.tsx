import { useSearchParams } from "react-router";
import { Feed } from "../components/Feed";
import { Empty } from "../components/List";
import { PageHead } from "../components/PageHead";
import { SearchForm } from "../components/SearchForm";
import { Ideas } from "../components/Sidebar";
import { t } from "../language/further";
import { useSearch } from "../queries/activities";
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
  return (
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
  );
}
