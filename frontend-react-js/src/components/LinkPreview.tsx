import type { Preview } from "../api/wire";
import "./LinkPreview.css";

/** What the page of a crud's first link says about itself. The picture has its space from the start. */
export function LinkPreview({ preview }: { preview: Preview }) {
  const { url, site, title, description, picture_url } = preview;
  return (
    <a className="preview" href={url} rel="nofollow noopener noreferrer ugc" target="_blank">
      {picture_url !== null && (
        <img src={picture_url} alt="" width={600} height={315} loading="lazy" decoding="async" />
      )}
      <span className="preview-text">
        <strong dir="auto">{title}</strong>
        {description && <span dir="auto">{description}</span>}
        <small>{site}</small>
      </span>
    </a>
  );
}
