import { useState } from "react";
import type { Member } from "../../api/wire";
import { Avatar } from "../../components/Avatar";
import { Button } from "../../components/Button";
import { CropDialog } from "../../components/CropDialog";
import { Dialog } from "../../components/Dialog";
import { Icon } from "../../components/Icon";
import { ProblemNote } from "../../components/Problem";
import { t } from "../../language/further";
import { notify } from "../../notices";
import {
  AVATAR_BYTES,
  AVATAR_TYPES,
  useRemoveAvatar,
  useUploadAvatar,
} from "../../queries/avatars";
import { Section } from "./Section";

/** Upload or remove a picture. Its type and size are checked before it is cropped. */
export function PictureSection({ member }: { member: Member }) {
  const [file, setFile] = useState<File>();
  const [isRemoving, setRemoving] = useState(false);
  const [problem, setProblem] = useState<string>();
  const choose = (chosen: File) => {
    const found = !AVATAR_TYPES.includes(chosen.type)
      ? t.settings.wrongType
      : chosen.size > AVATAR_BYTES
        ? t.settings.tooLarge
        : undefined;
    setProblem(found);
    if (found === undefined) {
      setFile(chosen);
    }
  };
  return (
    <Section title={t.settings.picture}>
      <div className="settings-picture">
        <Avatar person={member} size="large" />
        <div>
          <label className="button button-outlined settings-file">
            <Icon name="camera" />
            <span>{t.settings.choosePicture}</span>
            <input
              className="unseen"
              type="file"
              accept={AVATAR_TYPES.join(",")}
              onChange={(event) => {
                const chosen = event.target.files?.[0];
                event.target.value = ""; // so that the same file can be chosen again
                if (chosen) {
                  choose(chosen);
                }
              }}
            />
          </label>
          {member.avatar_url !== null && (
            <Button look="outlined" icon="trash" onClick={() => setRemoving(true)}>
              {t.settings.removePictureMore}
            </Button>
          )}
          <p className="field-hint">{t.settings.pictureHint}</p>
        </div>
      </div>
      {problem && (
        <p className="field-problem" role="alert">
          {problem}
        </p>
      )}
      {file && <UploadDialog file={file} onClose={() => setFile(undefined)} />}
      {isRemoving && <RemoveDialog onClose={() => setRemoving(false)} />}
    </Section>
  );
}

function UploadDialog({ file, onClose }: { file: File; onClose: () => void }) {
  const upload = useUploadAvatar();
  return (
    <CropDialog
      file={file}
      busy={upload.isPending}
      error={upload.error}
      onClose={onClose}
      onUpload={(square) =>
        void upload.mutateAsync({ file, square }).then(
          () => {
            notify(t.settings.pictureUpdated);
            onClose();
          },
          () => undefined, // shown by the dialog
        )
      }
    />
  );
}

function RemoveDialog({ onClose }: { onClose: () => void }) {
  const remove = useRemoveAvatar();
  return (
    <Dialog title={t.settings.removePictureTitle} onClose={onClose}>
      <p>{t.settings.removePictureText}</p>
      {remove.isError && <ProblemNote error={remove.error} />}
      <div className="dialog-actions">
        <Button look="outlined" onClick={onClose}>
          {t.crud.cancel}
        </Button>
        <Button
          look="danger"
          busy={remove.isPending}
          onClick={() =>
            void remove.mutateAsync().then(
              () => {
                notify(t.settings.pictureRemoved);
                onClose();
              },
              () => undefined, // shown above
            )
          }
        >
          {t.settings.removePicture}
        </Button>
      </div>
    </Dialog>
  );
}
