/** Wire objects with defaults; a test sets the fields that it needs. */

import { enter } from "../../src/api/session";
import type {
  ApiToken,
  Counts,
  Crud,
  Instance,
  Member,
  Message,
  MessageGroup,
  Notification,
  NotificationGroup,
  Passkey,
  Profile,
  SecondFactor,
  Session,
  ShortUser,
  SignedIn,
} from "../../src/api/wire";
import { at, DAY, HOUR, MINUTE } from "./time";

export function instance(change: Partial<Instance> = {}): Instance {
  return {
    name: "Cruddur",
    description: "",
    rules: "",
    terms_version: 0,
    sign_up_mode: "open",
    default_ttl: "7-days",
    max_ttl: "30-days",
    announcements: [],
    ...change,
  };
}

/** A uuid with a number in it. */
export function uuid(number: number): string {
  return `0190a000-0000-7000-8000-${String(number).padStart(12, "0")}`;
}

export const WORF: Member = {
  uuid: uuid(1),
  handle: "worf",
  display_name: "Worf",
  email: "worf@example.com",
  avatar_url: null,
  role: "member",
  unread_notices: 0,
  open_cases: 0,
  terms_version: null,
  terms_accepted_at: null,
};

export const LONDO: ShortUser = {
  uuid: uuid(2),
  handle: "londo",
  display_name: "Londo Mollari",
  avatar_url: null,
};

/** A crud by Londo, one minute old, that lives for a week. */
export function crud(change: Partial<Crud> = {}): Crud {
  return {
    uuid: uuid(100),
    handle: LONDO.handle,
    display_name: LONDO.display_name,
    avatar_url: null,
    message: "I do not like Santa Claus",
    created_at: at(-MINUTE),
    expires_at: at(7 * DAY - MINUTE),
    replies_count: 0,
    reposts_count: 0,
    likes_count: 0,
    reply_to_activity_uuid: null,
    replies: [],
    ...change,
  };
}

/** The same by Worf. */
export function ownCrud(change: Partial<Crud> = {}): Crud {
  const { handle, display_name } = WORF;
  return crud({ handle, display_name, message: "Today is a good day", ...change });
}

export function counts(change: Partial<Counts> = {}): Counts {
  return {
    uuid: uuid(100),
    replies_count: 0,
    reposts_count: 0,
    likes_count: 0,
    liked: false,
    reposted: false,
    ...change,
  };
}

export function profile(change: Partial<Profile> = {}): Profile {
  return {
    ...LONDO,
    cognito_user_uuid: uuid(3),
    bio: "Ambassador.",
    cruds_count: 1,
    followers_count: 0,
    following_count: 0,
    ...change,
  };
}

export function message(change: Partial<Message> = {}): Message {
  const { handle, display_name, avatar_url } = LONDO;
  return {
    uuid: uuid(300),
    handle,
    display_name,
    avatar_url,
    message: "Hello.",
    created_at: at(-HOUR),
    expires_at: null,
    kind: "text",
    ttl: null,
    ...change,
  };
}

export function group(change: Partial<MessageGroup> = {}): MessageGroup {
  return { ...message({ uuid: uuid(400) }), unread_count: 0, ...change };
}

/** A notification as the stream sends it. */
export function note(change: Partial<Notification> = {}): Notification {
  return {
    ...crud({ uuid: uuid(500) }),
    kind: "reply",
    activity_uuid: uuid(100),
    message_group_uuid: null,
    ...change,
  };
}

/** A group of notifications as the list has it. */
export function notes(change: Partial<NotificationGroup> = {}): NotificationGroup {
  return {
    uuid: uuid(500),
    kind: "reply",
    created_at: at(-MINUTE),
    unread: false,
    actors: [LONDO],
    actors_count: 1,
    activity: crud(),
    ...change,
  };
}

export function device(change: Partial<Session> = {}): Session {
  return {
    uuid: uuid(600),
    device: "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
    address: "192.0.2.7",
    method: "password",
    created_at: at(-3 * DAY),
    used_at: at(-5 * MINUTE),
    current: false,
    ...change,
  };
}

export function secondFactor(change: Partial<SecondFactor> = {}): SecondFactor {
  return { status: "off", recovery_codes_left: 0, ...change };
}

export function passkey(change: Partial<Passkey> = {}): Passkey {
  return { uuid: uuid(750), name: "Phone", created_at: at(-DAY), used_at: null, ...change };
}

export function apiToken(change: Partial<ApiToken> = {}): ApiToken {
  return {
    uuid: uuid(700),
    name: "Weather bot",
    scopes: ["read", "write"],
    created_at: at(-3 * DAY),
    used_at: null,
    expires_at: at(30 * DAY),
    ...change,
  };
}

export function signedIn(user: Member = WORF, access_token = "token-1"): SignedIn {
  return { access_token, expires_in: 900, token_type: "Bearer", user };
}

/** Sign in for the rest of the test. */
export function signIn(user: Member = WORF): void {
  enter(signedIn(user));
}
