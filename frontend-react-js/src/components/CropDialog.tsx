import { type CSSProperties, type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { t } from "../language/further";
import { Button } from "./Button";
import { center, MIN_SIDE, moved, part, resized, type Square } from "./crop";
import { Dialog } from "./Dialog";
import { ProblemNote } from "./Problem";
import { usePointers } from "./pointers";
import "./CropDialog.css";

/** The longest side in pixels at which a picture is shown. */
const MAX_SHOWN = 1024;

/**
 * Let the member choose the square of a picture to upload.
 *
 * The picture may be one that this browser cannot decode; then the service takes its middle.
 */
export function CropDialog({
  file,
  busy,
  error,
  onUpload,
  onClose,
}: {
  file: File;
  busy: boolean;
  error: unknown;
  onUpload: (square: string | undefined) => void;
  onClose: () => void;
}) {
  const [picture, setPicture] = useState<ImageBitmap | "loading" | "unknown">("loading");
  const [square, setSquare] = useState<Square>();
  useEffect(() => {
    let decoded: ImageBitmap | undefined;
    let isOpen = true;
    void decode(file).then(
      (bitmap) => {
        if (isOpen) {
          decoded = bitmap;
          setSquare(center(bitmap));
          setPicture(bitmap);
        } else {
          bitmap.close();
        }
      },
      () => setPicture("unknown"),
    );
    return () => {
      isOpen = false;
      decoded?.close();
    };
  }, [file]);
  const isLoading = picture === "loading";
  return (
    <Dialog title={t.settings.crop} onClose={onClose}>
      {picture === "unknown" ? (
        <p>{t.settings.noPreview}</p>
      ) : isLoading || square === undefined ? (
        <p role="status">{t.settings.opening}</p>
      ) : (
        <CropArea
          picture={picture}
          square={square}
          onChange={(change) => setSquare((before) => before && change(before))}
        />
      )}
      {error !== null && <ProblemNote error={error} />}
      <div className="dialog-actions">
        <Button look="outlined" onClick={onClose}>
          {t.crud.cancel}
        </Button>
        <Button
          busy={busy || isLoading}
          onClick={() => onUpload(square === undefined ? undefined : part(square))}
        >
          {busy ? t.settings.uploading : t.settings.savePicture}
        </Button>
      </div>
    </Dialog>
  );
}

async function decode(file: File): Promise<ImageBitmap> {
  return createImageBitmap(file);
}

/** How far an arrow key moves the area, as a fraction of the shorter side; with Shift, farther. */
const STEP = 0.02;
const LONG_STEP = 0.1;
/** By how much + and - change the size. */
const SIZE_STEP = 0.05;

const DIRECTIONS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const SIZES: Readonly<Record<string, number>> = { "+": 1, "=": 1, "-": -1, _: -1 };

/** A picture with a square on it, which pointers, touch and keys move and scale. */
function CropArea({
  picture,
  square,
  onChange,
}: {
  picture: ImageBitmap;
  square: Square;
  onChange: (change: (square: Square) => Square) => void;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const area = useRef<HTMLDivElement>(null);
  const hint = useId();
  const shorter = Math.min(picture.width, picture.height);
  const percent = Math.round(square.side * 100);
  useEffect(() => {
    const scale = Math.min(1, MAX_SHOWN / Math.max(picture.width, picture.height));
    const { current } = canvas;
    if (current !== null) {
      current.width = Math.max(1, Math.round(picture.width * scale));
      current.height = Math.max(1, Math.round(picture.height * scale));
      current.getContext("2d")?.drawImage(picture, 0, 0, current.width, current.height);
    }
    area.current?.focus();
  }, [picture]);

  const onKeyDown = (event: KeyboardEvent) => {
    const [x, y] = DIRECTIONS[event.key] ?? [0, 0];
    const growth = SIZES[event.key] ?? 0;
    if (event.ctrlKey || event.metaKey || event.altKey || (x === 0 && y === 0 && growth === 0)) {
      return;
    }
    event.preventDefault();
    const step = event.shiftKey ? LONG_STEP : STEP;
    onChange((before) =>
      growth === 0
        ? moved(picture, before, x * step, y * step)
        : resized(picture, before, before.side + growth * SIZE_STEP),
    );
  };

  const pointers = usePointers({
    unit: () => {
      const box = canvas.current?.getBoundingClientRect();
      return box ? (box.width / picture.width) * shorter : 1;
    },
    onMove: (x, y) => onChange((before) => moved(picture, before, x, y)),
    onDragCorner: (x, y) =>
      onChange((before) => resized(picture, before, before.side + (x + y) / 2, "corner")),
    onPinch: (growth) => onChange((before) => resized(picture, before, before.side * growth)),
  });

  return (
    <div className="crop">
      <div
        className="crop-stage"
        style={{ "--proportions": picture.width / picture.height } as CSSProperties}
        {...pointers}
      >
        <canvas ref={canvas} />
        <div
          ref={area}
          className="crop-area"
          role="application"
          aria-roledescription={t.settings.cropAreaKind}
          aria-label={t.settings.cropArea}
          aria-describedby={hint}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move it
          tabIndex={0}
          style={{
            left: `${square.left * 100}%`,
            top: `${square.top * 100}%`,
            width: `${((square.side * shorter) / picture.width) * 100}%`,
          }}
          onKeyDown={onKeyDown}
        >
          <span className="crop-corner" data-corner aria-hidden="true" />
        </div>
      </div>
      <label className="crop-size">
        <span>{t.settings.cropSize}</span>
        <input
          type="range"
          min={MIN_SIDE * 100}
          max={100}
          value={percent}
          aria-valuetext={`${percent}%`}
          onChange={(event) => {
            const side = Number(event.target.value) / 100;
            onChange((before) => resized(picture, before, side));
          }}
        />
      </label>
      <p className="field-hint" id={hint}>
        {t.settings.cropHint}
      </p>
    </div>
  );
}
