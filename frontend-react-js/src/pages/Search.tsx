import { useSearchParams } from "react-router";
import { Feed } from "../components/Feed";
import { Empty } from "../components/List";
import { PageHead } from "../components/PageHead";
import { SearchForm } from "../components/SearchForm";
import { Suggested, Trending } from "../components/Sidebar";
import { useSearch } from "../queries/activities";
import "./Search.css";

/** Cruds that match; before anything is asked for, what is talked about. */
export function Search() {
  const [params] = useSearchParams();
  const term = params.get("term")?.trim() ?? "";
  return (
    <>
      <PageHead title="Search" />
      <div className="search-bar">
        <SearchForm term={term} autoFocus={term === ""} />
        <p>Words, a #tag or a @handle. “Quotes” keep words together, a -word leaves out.</p>
      </div>
      {term === "" ? (
        <div className="search-ideas">
          <Trending />
          <Suggested />
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
    <section aria-label="Results">
      <Feed
        query={found}
        empty={
          <Empty title="Nothing alive matches">
            <p>Nobody says “{term}” just now, or they did and it is gone.</p>
          </Empty>
        }
      />
    </section>
  );
}
