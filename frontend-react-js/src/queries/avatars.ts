/** The member's picture: upload it to a signed URL, or remove it. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "../api/http";
import { updateMember } from "../api/session";

/** The server's limit (its `PICTURE_BYTES`), in bytes. */
export const AVATAR_BYTES = 8 * 1024 * 1024;
export const AVATAR_TYPES = ["image/jpeg", "image/png", "image/gif", "image/webp"];

const UPLOAD_SECONDS = 120;

export function useUploadAvatar() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ file, square }: { file: File; square: string | undefined }) => {
      const extension = file.type.replace("image/", "");
      const { url } = await call("post", "/api/avatars/key_upload", { body: { extension } });
      const token = url.slice(url.lastIndexOf("/") + 1);
      return call("put", "/api/avatars/uploads/{token}", {
        path: { token },
        query: square === undefined ? {} : { square },
        body: file,
        seconds: UPLOAD_SECONDS,
      });
    },
    onSuccess: ({ avatar_url }) => {
      updateMember({ avatar_url });
      return client.invalidateQueries(); // every crud shows the picture
    },
  });
}

export function useRemoveAvatar() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call("delete", "/api/avatars/me", {}),
    onSuccess: ({ avatar_url }) => {
      updateMember({ avatar_url });
      return client.invalidateQueries(); // every crud shows the picture
    },
  });
}
