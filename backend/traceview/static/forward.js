// A notice while what is received cannot be forwarded to the second endpoint.

import { ask } from "./api.js";
import { byId, plural } from "./dom.js";

const PERIOD_MS = 5000;
const notice = byId("forward");
let dueAt = 0;
let isOff = false; // nothing is forwarded; that does not change while the server runs

/** @param {AbortSignal} signal */
export async function refreshForward(signal) {
  if (isOff || performance.now() < dueAt) return;
  const { text } = await ask("/healthz", { signal });
  dueAt = performance.now() + PERIOD_MS;
  /** @type {import("../wire").ForwardStatus | null} */
  const status = JSON.parse(text).forward;
  isOff = status === null;
  notice.hidden = !status?.error;
  if (!status) return;
  const { url, error, failed, dropped, waiting } = status;
  const counts = [failed && `${plural(failed, "request")} failed`, dropped && `${dropped} dropped`, waiting && `${waiting} waiting`].filter(Boolean);
  const shown = `Forwarding to ${url} has a problem: ${error}.${counts.length ? ` So far: ${counts.join(", ")}.` : ""}`;
  if (notice.textContent !== shown) notice.textContent = shown;
}
