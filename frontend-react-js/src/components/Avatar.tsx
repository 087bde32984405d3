import "./Avatar.css";

/** A person's picture, or the first sign of their name on Cruddur's colour. */
export function Avatar({
  person,
  size = "normal",
}: {
  person: { display_name: string; avatar_url: string | null };
  size?: "small" | "normal" | "large";
}) {
  return (
    <span className={`avatar avatar-${size}`} aria-hidden="true">
      {person.avatar_url === null ? (
        firstSign(person.display_name)
      ) : (
        <img src={person.avatar_url} alt="" loading="lazy" decoding="async" />
      )}
    </span>
  );
}

const signs = new Intl.Segmenter();

/** What a reader takes for the first letter, which may be several characters. */
function firstSign(name: string): string | undefined {
  const [first] = signs.segment(name.trim());
  return first?.segment.toUpperCase();
}
