/** A sentence for each error code that the first script can meet. `moreErrors.ts` has the others. */

import type { OwnCode } from "../../api/http";
import type { Code } from "../../api/wire";

export type DescribedCode = Code | OwnCode | "method_not_allowed";

export const errors = {
  cursor_invalid: "We can’t load more of this list. Reload the page.",
  generic_401: "You’re signed out. Sign in to continue.",
  generic_403: "You can’t do that. If you were uploading a picture, choose it again.",
  generic_500: "Something went wrong on our side. Please try again in a moment.",
  idempotency_key_invalid: "We couldn’t send this. Reload the page and try again.",
  idempotency_key_reused:
    "You’ve already sent a different version of this. Change the text and send it again.",
  invalid_json: "Something got lost on the way. Please try again.",
  limit_invalid: "That’s too many items at once.",
  message_blank: "Write something first.",
  message_exceed_max_chars: "A crud can have up to 280 characters.",
  message_exceed_max_chars_1024: "That’s too long. You can use up to 1,024 characters.",
  message_invalid: "This text contains a character we can’t store.",
  method_not_allowed: "You can’t do that here.",
  not_found: "This has expired or never existed.",
  payload_too_large: "That’s too large. A picture can be up to 8 MB.",
  pictures_invalid: "A picture isn’t available anymore. Remove it and add it again.",
  rate_limited: "Too many attempts.",
  ttl_blank: "Choose how long your crud lives.",
  unavailable: "Cruddur isn’t available right now. Please try again in a moment.",
  unsupported_media_type: "We can’t accept that type of file.",
  timed_out: "Cruddur took too long to respond. Try again.",
  unreachable: "We can’t reach Cruddur. Are you online?",
};
