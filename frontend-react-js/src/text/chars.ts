/** Text lengths as the server counts them: in Unicode code points, not UTF-16 units. */

export const CRUD_CHARS = 280;
export const REPLY_CHARS = 1024;
export const DISPLAY_NAME_CHARS = 50;
export const BIO_CHARS = 500;

export function countChars(text: string): number {
  let count = 0;
  for (const _ of text) {
    count += 1;
  }
  return count;
}
