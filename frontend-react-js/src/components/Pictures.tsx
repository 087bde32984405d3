import { type CSSProperties, useState } from "react";
import type { Picture } from "../api/wire";
import { t } from "../language";
import { notifyError } from "../queries/client";
import { Further, loadFurther } from "./Further";
import "./Pictures.css";

/** The pictures of a crud. A press on one opens a larger view. */
export function Pictures({ pictures = [] }: { pictures?: readonly Picture[] | undefined }) {
  const [opened, setOpened] = useState<number>();
  if (pictures.length === 0) {
    return null;
  }
  const open = (index: number) => {
    loadFurther().then(() => setOpened(index), notifyError);
  };
  const [{ width, height }] = pictures as readonly [Picture];
  const shape = { "--width": `${width}px`, "--ratio": width / height } as CSSProperties;
  return (
    <div className={`pictures pictures-${pictures.length}`} style={shape}>
      {pictures.map(({ url, thumbnail_url, alt, width, height }, index) => (
        <button key={url} type="button" className="picture" onClick={() => open(index)}>
          <img
            src={thumbnail_url}
            alt={alt || t.pictures.numbered(index + 1, pictures.length)}
            width={width}
            height={height}
            loading="lazy"
            decoding="async"
          />
        </button>
      ))}
      {opened !== undefined && (
        <Further
          name="PictureViewer"
          pictures={pictures}
          first={opened}
          onClose={() => setOpened(undefined)}
        />
      )}
    </div>
  );
}
