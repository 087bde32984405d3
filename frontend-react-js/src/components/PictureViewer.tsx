import { useEffect, useRef, useState } from "react";
import type { Picture } from "../api/wire";
import { t } from "../language/further";
import { IconButton } from "./Button";
import { Dialog } from "./Dialog";

/** A larger view of pictures. The arrow keys lead from one to the next; Escape closes it. */
export function PictureViewer({
  pictures,
  first,
  onClose,
}: {
  pictures: readonly Picture[];
  /** The index of the picture that it begins with. */
  first: number;
  onClose: () => void;
}) {
  const [chosen, setChosen] = useState(first);
  const count = pictures.length;
  const index = Math.min(chosen, count - 1);
  const picture = pictures[index];
  const step = (by: number) => setChosen((index + by + count) % count);
  const next = useRef<HTMLButtonElement>(null);
  const latest = useRef(step);
  latest.current = step;
  useEffect(() => {
    const onKeyDown = ({ key }: KeyboardEvent) => {
      if (key === "ArrowRight" || key === "ArrowLeft") {
        latest.current(key === "ArrowRight" ? 1 : -1);
      }
    };
    next.current?.focus();
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
  return (
    <Dialog
      title={t.pictures.numbered(index + 1, count)}
      width={widest(pictures)}
      onClose={onClose}
    >
      {picture !== undefined && (
        <>
          <figure className="viewer">
            <img
              key={picture.url}
              className="viewer-image"
              src={picture.url}
              alt={picture.alt || t.viewer.noDescription}
              width={picture.width}
              height={picture.height}
            />
            {picture.alt && <figcaption dir="auto">{picture.alt}</figcaption>}
          </figure>
          {count > 1 && (
            <div className="viewer-steps">
              <IconButton label={t.viewer.previous} icon="back" onClick={() => step(-1)} />
              <span aria-hidden="true">
                {index + 1} / {count}
              </span>
              <IconButton ref={next} label={t.viewer.next} icon="back" onClick={() => step(1)} />
            </div>
          )}
        </>
      )}
    </Dialog>
  );
}

/** The width of the widest picture, so that the dialog keeps its size from one to the next. */
function widest(pictures: readonly Picture[]): string {
  const widths = pictures.map(
    ({ width, height }) => `min(${width}px, ${width / height} * var(--tallest))`,
  );
  return `max(0px, ${widths.join(", ")})`;
}
