import { type RefObject, useEffect, useRef, useState } from "react";
import { t } from "../language/further";
import { PICTURE_BYTES, PICTURE_TYPES, uploadPicture } from "../queries/pictures";
import { IconButton } from "./Button";
import type { DraftPicture } from "./draft";
import { Icon } from "./Icon";
import { ProblemNote } from "./Problem";
import "./Pictures.css";

/** Pictures of a crud, and characters of the text of each. The server has the same limits. */
const MAX_PICTURES = 4;
const ALT_CHARS = 1000;

/** A file that is being uploaded, or waits for those before it. */
interface Upload {
  readonly id: number;
  readonly file: File;
  readonly abort: AbortController;
}

let lastId = 0;

/**
 * The pictures of a composer: a button, and a row for each picture with a field for its text.
 *
 * Files can also be pasted into the composer or dropped on it. They are uploaded one after the
 * other, because the server accepts one at a time.
 */
export function PictureFields({
  pictures,
  isBusy,
  onPictures,
  onUploading,
}: {
  pictures: readonly DraftPicture[];
  /** Whether the crud is being sent. */
  isBusy: boolean;
  onPictures: (by: (pictures: readonly DraftPicture[]) => readonly DraftPicture[]) => void;
  /** Called when uploads begin and when all have ended. */
  onUploading: (isUploading: boolean) => void;
}) {
  const [uploads, setUploads] = useState<readonly Upload[]>([]);
  const [sent, setSent] = useState(0);
  const [hint, setHint] = useState<string>();
  const [failure, setFailure] = useState<{ readonly error: unknown }>();
  const input = useRef<HTMLInputElement>(null);
  const count = pictures.length + uploads.length;
  const isFull = count >= MAX_PICTURES;

  const add = (files: readonly File[]) => {
    const fitting = files.filter(
      ({ type, size }) => PICTURE_TYPES.includes(type) && size <= PICTURE_BYTES,
    );
    const added = fitting.slice(0, MAX_PICTURES - count);
    setFailure(undefined);
    setHint(
      files.some(({ type }) => !PICTURE_TYPES.includes(type))
        ? t.settings.wrongType
        : files.length > fitting.length
          ? t.settings.tooLarge
          : fitting.length > added.length
            ? t.pictureFields.tooMany
            : undefined,
    );
    const next = added.map((file) => ({ id: ++lastId, file, abort: new AbortController() }));
    setUploads([...uploads, ...next]);
  };
  useFiles(input, isBusy ? undefined : add);

  const current = uploads[0];
  const latest = useRef({ onPictures, onUploading });
  latest.current = { onPictures, onUploading };
  useEffect(() => {
    latest.current.onUploading(current !== undefined);
    if (current === undefined) {
      return undefined;
    }
    const { id, file, abort } = current;
    setSent(0);
    uploadPicture(file, setSent, abort.signal)
      .then(({ uuid, width, height }) => {
        const preview = URL.createObjectURL(file);
        const picture: DraftPicture = { uuid, width, height, alt: "", preview };
        latest.current.onPictures((known) => [...known, picture]);
      })
      .catch((error: unknown) => {
        if (!abort.signal.aborted) {
          setFailure({ error });
        }
      })
      .finally(() => setUploads((waiting) => waiting.filter((upload) => upload.id !== id)));
    return undefined;
  }, [current]);
  const open = useRef(uploads);
  open.current = uploads;
  useEffect(
    () => () => {
      for (const { abort } of open.current) {
        abort.abort();
      }
      latest.current.onUploading(false);
    },
    [],
  );

  const hasRemoved = useRef(false);
  useEffect(() => {
    if (hasRemoved.current && count < MAX_PICTURES) {
      hasRemoved.current = false;
      input.current?.focus(); // the button that was pressed is gone
    }
  }, [count]);
  const change = (uuid: string, alt: string) =>
    onPictures((known) =>
      known.map((picture) => (picture.uuid === uuid ? { ...picture, alt } : picture)),
    );
  usePreviews(pictures);
  const remove = ({ uuid }: DraftPicture) => {
    onPictures((known) => known.filter((picture) => picture.uuid !== uuid));
    hasRemoved.current = true;
  };
  return (
    <>
      {(count > 0 || hint || failure) && (
        <div className="draft-pictures">
          {pictures.map((picture, index) => {
            const name = t.pictures.numbered(index + 1, pictures.length);
            return (
              <div className="draft-picture" key={picture.uuid}>
                {picture.preview === undefined ? (
                  <span>
                    <Icon name="picture" />
                  </span>
                ) : (
                  <img src={picture.preview} alt="" />
                )}
                <textarea
                  aria-label={t.pictureFields.describe(name)}
                  placeholder={t.pictureFields.describeHint}
                  rows={2}
                  dir="auto"
                  maxLength={ALT_CHARS}
                  value={picture.alt}
                  readOnly={isBusy}
                  onChange={(event) => change(picture.uuid, event.target.value)}
                />
                <IconButton
                  label={t.pictureFields.remove(name)}
                  icon="close"
                  disabled={isBusy}
                  onClick={() => remove(picture)}
                />
              </div>
            );
          })}
          {uploads.map(({ id, file, abort }) => (
            <div className="draft-picture" key={id}>
              <span>
                <Icon name="picture" />
              </span>
              <div>
                <p className="draft-picture-name">{file.name}</p>
                <progress
                  aria-label={t.pictureFields.uploading(file.name)}
                  value={id === current?.id ? sent : 0}
                />
              </div>
              <IconButton
                label={t.pictureFields.cancel(file.name)}
                icon="close"
                onClick={() => {
                  abort.abort();
                  setUploads(uploads.filter((upload) => upload.id !== id));
                  hasRemoved.current = true;
                }}
              />
            </div>
          ))}
          {hint && (
            <p className="field-problem" role="alert">
              {hint}
            </p>
          )}
          {failure && <ProblemNote error={failure.error} />}
        </div>
      )}
      <label className="icon-button picture-adder" title={t.pictureFields.add}>
        <Icon name="picture" />
        <span className="unseen">{t.pictureFields.add}</span>
        <input
          ref={input}
          className="unseen"
          type="file"
          multiple
          accept={PICTURE_TYPES.join(",")}
          disabled={isFull || isBusy}
          onChange={(event) => {
            const files = [...(event.target.files ?? [])];
            event.target.value = ""; // so that the same file can be chosen again
            add(files);
          }}
        />
      </label>
    </>
  );
}

/** Release the previews of pictures that were removed or posted. */
function usePreviews(pictures: readonly DraftPicture[]): void {
  const shown = useRef<readonly DraftPicture[]>([]);
  useEffect(() => {
    for (const { preview } of shown.current) {
      if (preview !== undefined && !pictures.some((picture) => picture.preview === preview)) {
        URL.revokeObjectURL(preview);
      }
    }
    shown.current = pictures;
  }, [pictures]);
}

/** Call `add` with the files that are pasted into the form of a field, or dropped on it. */
function useFiles(
  field: RefObject<HTMLInputElement | null>,
  add: ((files: readonly File[]) => void) | undefined,
): void {
  const latest = useRef(add);
  latest.current = add;
  useEffect(() => {
    const form = field.current?.form;
    if (!form) {
      return undefined;
    }
    const take = (event: Event, data: DataTransfer | null) => {
      const files = [...(data?.files ?? [])];
      if (files.length > 0) {
        event.preventDefault(); // a browser would open the file, or paste its name
        latest.current?.(files);
      }
    };
    const ending = new AbortController();
    const { signal } = ending;
    const mark = (event: DragEvent, isOver: boolean) => {
      if (event.dataTransfer?.types.includes("Files")) {
        event.preventDefault();
        form.classList.toggle("composer-dragging", isOver);
      }
    };
    form.addEventListener("paste", (event) => take(event, event.clipboardData), { signal });
    form.addEventListener("dragover", (event) => mark(event, true), { signal });
    form.addEventListener("dragleave", (event) => mark(event, false), { signal });
    form.addEventListener(
      "drop",
      (event) => {
        mark(event, false);
        take(event, event.dataTransfer);
      },
      { signal },
    );
    return () => ending.abort();
  }, [field]);
}
