/** Files with what the service stores about the member. */

import { useMutation } from "@tanstack/react-query";
import { download } from "../api/http";
import { NOTIFY_ON_ERROR } from "./client";

const FILES = {
  archive: ["/api/auth/export", "zip"],
  audit: ["/api/auth/audit.jsonl", "jsonl"],
} as const;

/** Load a file, and save it among the downloads of the browser. */
export function useDownload(file: keyof typeof FILES) {
  const [path, extension] = FILES[file];
  return useMutation({
    meta: NOTIFY_ON_ERROR,
    mutationFn: async (handle: string) => {
      const address = URL.createObjectURL(await download(path));
      const link = document.createElement("a");
      link.href = address;
      link.download = `cruddur-${handle}-${file}.${extension}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), KEPT_FOR);
    },
  });
}

/** Milliseconds in which the browser has opened the file. */
const KEPT_FOR = 60_000;
