import { useState } from "react";
import type { Member } from "../../api/wire";
import { Avatar } from "../../components/Avatar";
import { Icon } from "../../components/Icon";
import { ProblemNote } from "../../components/Problem";
import { notify } from "../../notices";
import { AVATAR_BYTES, AVATAR_TYPES, useUploadAvatar } from "../../queries/avatars";
import { Section } from "./Section";

/** Upload a picture. Its type and size are checked before the upload starts. */
export function PictureSection({ member }: { member: Member }) {
  const upload = useUploadAvatar();
  const [problem, setProblem] = useState<string>();
  const choose = (file: File) => {
    const found = !AVATAR_TYPES.includes(file.type)
      ? "Choose a JPEG, PNG, GIF or WebP picture."
      : file.size > AVATAR_BYTES
        ? "That picture is too large. It can be up to 8 MB."
        : undefined;
    setProblem(found);
    if (found === undefined) {
      upload.mutate(file, { onSuccess: () => notify("Picture updated") });
    }
  };
  return (
    <Section title="Picture">
      <div className="settings-picture">
        <Avatar person={member} size="large" />
        <div>
          <label className="button button-outlined settings-file" aria-busy={upload.isPending}>
            <Icon name="camera" />
            <span>{upload.isPending ? "Uploading…" : "Choose a picture"}</span>
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
          <p className="field-hint">JPEG, PNG, GIF or WebP, up to 8 MB. Cropped to a square.</p>
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
