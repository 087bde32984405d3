/** Upload of the pictures of a crud. */

import { ApiError, call } from "../api/http";
import { fetchWithProgress } from "../api/upload";
import type { UploadedPicture } from "../api/wire";

/** The server's limit (its `PICTURE_BYTES`), in bytes. */
export const PICTURE_BYTES = 8 * 1024 * 1024;
export const PICTURE_TYPES = ["image/jpeg", "image/png", "image/gif", "image/webp"];

const UPLOAD_SECONDS = 120;

/** Seconds up to which an upload waits until the server accepts it. */
const MAX_WAIT = 5;
const ATTEMPTS = 3;

/**
 * Upload a picture, which a crud can show within an hour. The server accepts one picture of a member
 * at a time, so another one that is about to end is waited for.
 *
 * @param onProgress called with the part that was sent, from 0 to 1.
 * @throws {ApiError} the server rejected it, failed, or did not respond in time.
 * @throws {DOMException} `AbortError`: `signal` was aborted.
 */
export async function uploadPicture(
  file: File,
  onProgress: (sent: number) => void,
  signal: AbortSignal,
): Promise<UploadedPicture> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call("post", "/api/pictures", {
        body: file,
        seconds: UPLOAD_SECONDS,
        fetch: fetchWithProgress(onProgress),
        signal,
      });
    } catch (error) {
      const seconds = error instanceof ApiError && error.status === 429 ? error.retryAfter : null;
      if (seconds === null || seconds > MAX_WAIT || attempt === ATTEMPTS) {
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    }
  }
}
