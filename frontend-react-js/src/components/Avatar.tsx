import "./Avatar.css";

/** A user's picture, or the first letter of their name. */
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
        initial(person.display_name)
      ) : (
        <img src={person.avatar_url} alt="" loading="lazy" decoding="async" />
      )}
    </span>
  );
}

const graphemes = new Intl.Segmenter();

/** The first grapheme, which may consist of several characters. */
function initial(name: string): string | undefined {
  const [first] = graphemes.segment(name.trim());
  return first?.segment.toUpperCase();
}
