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
        [...person.display_name.trim()][0]?.toUpperCase()
      ) : (
        <img src={person.avatar_url} alt="" loading="lazy" decoding="async" />
      )}
    </span>
  );
}
