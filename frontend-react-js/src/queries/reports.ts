/** Reports of cruds, profiles and messages. */

import { useMutation } from "@tanstack/react-query";
import { call } from "../api/http";
import type { ReportDraft } from "../api/wire";

export function useReport() {
  return useMutation({
    mutationFn: (body: ReportDraft) => call("post", "/api/reports", { body }),
  });
}
