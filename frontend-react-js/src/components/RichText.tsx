import { Link } from "react-router";
import { profileAddress, searchAddress } from "../text/addresses";
import { type Part, parts } from "../text/rich";
import "./RichText.css";

/** A text with its #tags, @handles and addresses as links. */
export function RichText({ text }: { text: string }) {
  return (
    <p className="rich" dir="auto">
      {parts(text).map((part) => (
        <RichPart key={part.start} part={part} />
      ))}
    </p>
  );
}

function RichPart({ part }: { part: Part }) {
  switch (part.kind) {
    case "tag":
      return <Link to={searchAddress(`#${part.tag}`)}>{part.text}</Link>;
    case "mention":
      return <Link to={profileAddress(part)}>{part.text}</Link>;
    case "link":
      return (
        <a href={part.url} rel="nofollow noopener noreferrer" target="_blank">
          {part.text}
        </a>
      );
    case "text":
      return part.text;
  }
}
