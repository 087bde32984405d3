/** The messages of the first script, in English. */

import type { ReactNode } from "react";
import { pluralsOf } from "../plural";
import { errors } from "./errors";

/** Renders a part of a sentence, such as the words of a link. */
export type Slot = (words: string) => ReactNode;

/** The messages that every language has. */
export type First = typeof first;

const plural = pluralsOf("en");

export const first = {
  errors,
  problem: {
    unknown: (code: string) => `That didn’t work (${code}).`,
    /** When to try again; null if that is not known. */
    wait: (minutes: number | null) =>
      minutes === null
        ? "Try again later."
        : plural(minutes, {
            one: "Try again in a minute.",
            other:
              minutes < 120
                ? `Try again in ${minutes} minutes.`
                : `Try again in ${Math.ceil(minutes / 60)} hours.`,
          }),
    again: "Try again",
    trace: "Trace",
    online: "You’re back online. Try again.",
    pageTitle: "Something went wrong",
    page: "We couldn’t show this page. Reload it to get the latest version.",
    reload: "Reload",
    signedOut: "You’ve been signed out on this device.",
  },
  account: {
    signIn: "Sign in",
    join: "Join now",
    membersOnly: "Members only",
  },
  /** What a visitor must sign in for. */
  signInTo: {
    reply: "Sign in to reply",
    repost: "Sign in to repost",
    like: "Sign in to like",
    follow: (handle: string) => `Sign in to follow @${handle}`,
    followTag: (tag: string) => `Sign in to follow #${tag}`,
    message: (handle: string) => `Sign in to message @${handle}`,
    messages: "Sign in to read your messages",
    notifications: "Sign in to see your notifications",
    settings: "Sign in to change your profile and account",
  },
  layout: {
    skip: "Skip to main content",
    back: "Back",
    close: "Close",
    dismiss: "Dismiss",
    notices: "Notices",
    notLive: (more: Slot) => <>Not live{more(": reconnecting…")}</>,
  },
  list: {
    more: "Show more",
    loading: "Loading",
    loadingMore: "Loading more…",
    unread: "unread",
  },
  nav: {
    label: "Main",
    home: "Home",
    search: "Search",
    notifications: "Notifications",
    messages: "Messages",
    profile: "Profile",
    settings: "Settings",
    moderation: "Moderation",
    open: "open",
    about: "About",
    join: "Join",
    crud: "Crud",
    terms: "Terms of service",
    privacy: "Privacy policy",
  },
  sidebar: {
    label: "More on Cruddur",
    searchCruddur: "Search Cruddur",
    joinLabel: "Join",
    join: "Join the party!",
    say: "Have something you want to say?",
    crud: "Don’t think about it, just crud it.",
    forget: "Regret it? No worries, we’ll forget it…",
    trendingLabel: "Trending",
    trending: "Trending now",
    cruds: (count: number) => plural(count, { one: "1 crud", other: `${count} cruds` }),
    suggested: "Suggested people",
  },
  time: {
    now: "now",
    /** Ages in short. */
    seconds: (count: number) => `${count}s`,
    minutes: (count: number) => `${count}m`,
    hours: (count: number) => `${count}h`,
    days: (count: number) => `${count}d`,
    /** Ages in a sentence. */
    secondsAgo: (count: number) => `${count} s ago`,
    minutesAgo: (count: number) => `${count} min ago`,
    hoursAgo: (count: number) => `${count} h ago`,
    daysAgo: (count: number) => plural(count, { one: "1 day ago", other: `${count} days ago` }),
    on: (date: string) => `on ${date}`,
    /** Times left. */
    daysLeft: (days: number, hours: number) => `${days}d ${hours}h`,
    hoursLeft: (hours: number, minutes: number) => `${hours}h ${minutes}m`,
    minutesLeft: (minutes: number, seconds: string) => `${minutes}m ${seconds}s`,
    secondsLeft: (seconds: number) => `${seconds}s`,
    left: (time: ReactNode, unseen: Slot) => (
      <>
        {time}
        {unseen(" left")}
      </>
    ),
    expires: (time: string) => `Expires ${time}`,
    /** When a crud will be gone. `day` is "today" or "tomorrow". */
    goneSoon: (day: string, time: string) => `Gone ${day} ${time}`,
    /** The same; `day` is a weekday or a date. */
    goneOn: (day: string, time: string) => `Gone ${day} ${time}`,
  },
  lifetimes: {
    "30-days": "30 days",
    "7-days": "7 days",
    "3-days": "3 days",
    "1-day": "1 day",
    "12-hours": "12 hours",
    "3-hours": "3 hours",
    "1-hour": "1 hour",
  },
  composer: {
    crud: "New crud",
    placeholder: "What’s on your mind?",
    post: "Crud it",
    livesFor: "Lives for",
    reply: (name: string) => `Reply to ${name}`,
    replyPlaceholder: (handle: string) => `Reply to @${handle}`,
    postReply: "Reply",
    charactersLeft: (count: number) =>
      plural(count, { one: "1 character left", other: `${count} characters left` }),
    charactersOver: (count: number) =>
      plural(count, { one: "1 character too many", other: `${count} characters too many` }),
  },
  pictures: {
    numbered: (number: number, count: number) => `Picture ${number} of ${count}`,
  },
  crud: {
    by: (name: string) => `Crud by ${name}`,
    reposted: (name: ReactNode) => <>{name} reposted</>,
    forTag: (tag: ReactNode) => <>You follow {tag}</>,
    replyingTo: (person: ReactNode) => <>Replying to {person}</>,
    sending: "sending…",
    justExpired: "This crud has just expired.",
    reply: "Reply",
    replies: (count: number) => plural(count, { one: "1 reply", other: `${count} replies` }),
    repost: "Repost",
    reposts: (count: number) => plural(count, { one: "1 repost", other: `${count} reposts` }),
    like: "Like",
    likes: (count: number) => plural(count, { one: "1 like", other: `${count} likes` }),
    share: "Share",
    more: "More",
    shareTitle: (name: string) => `${name} on Cruddur`,
    linkCopied: "Link copied",
    linkNotCopied: (url: string) => `We couldn’t copy the link: ${url}`,
    delete: "Delete",
    cancel: "Cancel",
    posted: "Your crud is posted.",
    replyPosted: "Reply posted",
    view: "View",
  },
  thread: {
    crud: "Crud",
    reply: "Reply",
    expires: (time: ReactNode) => <>expires {time}</>,
    replies: "Replies",
    repliesTo: (name: string) => `Replies to ${name}`,
    noReplies: "No replies yet",
    beFirst: "Be the first to reply.",
    earlier: "Earlier in this thread",
    showEarlier: "Show earlier cruds",
    showReplies: (count: number) =>
      plural(count, { one: "Show 1 reply", other: `Show ${count} replies` }),
    showMoreReplies: (count: number) =>
      plural(count, { one: "Show 1 more reply", other: `Show ${count} more replies` }),
    gone: "This crud is gone",
    deleted: "You deleted it, along with its replies, likes and reposts.",
    expired: "It has expired, was deleted, or never existed.",
    seeLatest: "See the latest cruds",
  },
  home: {
    title: "Home",
    empty: "No cruds right now",
    beFirst: "Be the first to post. It won’t last forever.",
    feeds: "Feeds",
    everyone: "Everyone",
    following: "Following",
    welcome: "Welcome",
    say: "Say it now. Regret it? No worries, we’ll forget it.",
    /** `more` is a plus sign if there are more than `count`. */
    newCruds: (count: number, more: string) =>
      plural(count, { one: "1 new crud", other: `${count}${more} new cruds` }),
  },
  newMessage: {
    title: "New message",
  },
  profile: {
    label: "Profile",
    unknown: "User not found",
    unknownHint: "There’s no account with this handle. It may have been deleted.",
    noneOfYours: "You have no live cruds",
    noneOfYoursHint: "What you post or repost shows up here until it expires.",
    none: "No cruds right now",
    noneHint: (handle: string) => `When @${handle} posts something, it will show up here.`,
    edit: "Edit profile",
    message: "Message",
    liveCruds: (count: number, bold: Slot) => (
      <>
        {bold(String(count))} live {plural(count, { one: "crud", other: "cruds" })}
      </>
    ),
    feed: "Atom feed",
    follow: "Follow",
    following: "Following",
    /** The names of the buttons for screen readers. */
    followPerson: (handle: string) => `Follow @${handle}`,
    followingPerson: (handle: string) => `Following @${handle}`,
    followers: (count: number, bold: Slot) => (
      <>
        {bold(String(count))} {plural(count, { one: "follower", other: "followers" })}
      </>
    ),
    followed: (count: number, bold: Slot) => <>{bold(String(count))} following</>,
  },
  notFound: {
    title: "Not found",
    nothing: "There’s nothing here",
    hint: "Check the address. If it led to a crud, the crud may have expired.",
    goHome: "Go home",
  },
  /** The titles of windows. */
  titles: {
    crud: (name: string, text: string) => `${name}: “${text}”`,
  },
};
