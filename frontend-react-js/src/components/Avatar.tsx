import { type CSSProperties, useState } from "react";
import { hueOf } from "../text/hues";
import "./Avatar.css";

/** A user's picture, or the first letter of their name on a color of their own. */
export function Avatar({
  person,
  size = "normal",
}: {
  person: { handle: string; display_name: string; avatar_url: string | null };
  size?: "small" | "normal" | "large";
}) {
  const [missing, setMissing] = useState<string>(); // its user has removed it
  const { avatar_url } = person;
  return (
    <span
      className={`avatar avatar-${size}`}
      aria-hidden="true"
      style={{ "--hue": hueOf(person.handle) } as CSSProperties}
    >
      {avatar_url === null || avatar_url === missing ? (
        initial(person.display_name)
      ) : (
        <img
          src={avatar_url}
          alt=""
          loading="lazy"
          decoding="async"
          onError={() => setMissing(avatar_url)}
        />
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
