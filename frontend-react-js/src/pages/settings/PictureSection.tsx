import { useState } from "react";
import type { Member } from "../../api/wire";
import { Avatar } from "../../components/Avatar";
import { Icon } from "../../components/Icon";
import { ProblemNote } from "../../components/Problem";
import { t } from "../../language/further";
import { notify } from "../../notices";
import { AVATAR_BYTES, AVATAR_TYPES, useUploadAvatar } from "../../queries/avatars";
import { Section } from "./Section";

/** Upload a picture. Its type and size are checked before the upload starts. */
export function PictureSection({ member }: { member: Member }) {
  const upload = useUploadAvatar();
  const [problem, setProblem] = useState<string>();
  const choose = (file: File) => {
    const found = !AVATAR_TYPES.includes(file.type)
      ? t.settings.wrongType
      : file.size > AVATAR_BYTES
        ? t.settings.tooLarge
        : undefined;
    setProblem(found);
    if (found === undefined) {
      upload.mutate(file, { onSuccess: () => notify(t.settings.pictureUpdated) });
    }
  };
  return (
    <Section title={t.settings.picture}>
      <div className="settings-picture">
        <Avatar person={member} size="large" />
        <div>
          <label className="button button-outlined settings-file" aria-busy={upload.isPending}>
            <Icon name="camera" />
            <span>{upload.isPending ? t.settings.uploading : t.settings.choosePicture}</span>
            <input
              className="unseen"
              type="file"
              accept={AVATAR_TYPES.join(",")}
              disabled={upload.isPending}
              onChange={(event) => {
                const file = event.target.files?.[0];
                event.target.value = ""; // so that the same file can be chosen again
                if (file) {
                  choose(file);
                }
              }}
            />
          </label>
          <p className="field-hint">{t.settings.pictureHint}</p>
        </div>
      </div>
      {problem && (
        <p className="field-problem" role="alert">
          {problem}
        </p>
      )}
      {upload.isError && <ProblemNote error={upload.error} />}
    </Section>
  );
}
