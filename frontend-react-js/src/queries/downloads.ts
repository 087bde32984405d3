/** Files with what the service stores about the member, and the audit log for admins. */

import { useMutation } from "@tanstack/react-query";
import { download } from "../api/http";
import { NOTIFY_ON_ERROR } from "./client";
import { after } from "./paging";

const FILES = {
  archive: ["/api/auth/export", "zip"],
  audit: ["/api/auth/audit.jsonl", "jsonl"],
  auditLines: ["/api/moderation/audit.jsonl", "jsonl"],
  auditTable: ["/api/moderation/audit.csv", "csv"],
} as const;

/** Load a file, and save it by a name, without its extension, among the downloads of the browser. */
export function useDownload(file: keyof typeof FILES) {
  const [path, extension] = FILES[file];
  return useMutation({
    meta: NOTIFY_ON_ERROR,
    mutationFn: async (name: string) => {
      const parts: Blob[] = [];
      let cursor: string | undefined;
      do {
        const { body, next } = await download(path, after(cursor));
        parts.push(body);
        cursor = next ?? undefined;
      } while (cursor !== undefined);
      const address = URL.createObjectURL(new Blob(parts));
      const link = document.createElement("a");
      link.href = address;
      link.download = `${name}.${extension}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), KEPT_FOR);
    },
  });
}

/** Milliseconds in which the browser has opened the file. */
const KEPT_FOR = 60_000;
