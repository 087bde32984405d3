/** Texts as the server measures them: composed (NFC), in code points instead of UTF-16 units. */

export const CRUD_CHARS = 280;
export const REPLY_CHARS = 1024;
export const DISPLAY_NAME_CHARS = 50;
export const BIO_CHARS = 500;

/** Whether a text has no visible character. */
export function isBlank(text: string): boolean {
  return !/[^\p{space}\p{DI}\p{Cc}\u2800]/u.test(text);
}

export function countChars(text: string): number {
  let count = 0;
  for (const _ of text.normalize("NFC")) {
    count += 1;
  }
  return count;
}
