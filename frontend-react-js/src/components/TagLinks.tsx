import { Link } from "react-router";
import { t } from "../language/further";
import { searchAddress } from "../text/addresses";

/** The tags that the member follows. Nothing without tags. */
export function TagLinks({ tags }: { tags: readonly string[] }) {
  return tags.length === 0 ? null : (
    <nav className="tag-links" aria-label={t.follows.tags}>
      <h2 className="people-title">{t.follows.tags}</h2>
      {tags.map((tag) => (
        <Link key={tag} to={searchAddress(`#${tag}`)} dir="auto">
          #{tag}
        </Link>
      ))}
    </nav>
  );
}
