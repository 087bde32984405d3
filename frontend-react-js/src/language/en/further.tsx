/** The messages that only the further pages use, in English. */

import type { ReactNode } from "react";
import type { MessageTtl } from "../../api/wire";
import { pluralsOf } from "../plural";
import type { Slot } from "./first";
import { moreErrors } from "./moreErrors";

export type Further = typeof further;

const plural = pluralsOf("en");

const others = (count: number) => plural(count, { one: "1 other", other: `${count} others` });

const AFTER: Record<MessageTtl, string> = {
  "30-days": "30 days",
  "7-days": "7 days",
  "1-day": "1 day",
  "1-hour": "1 hour",
};

export const further = {
  moreErrors,
  recipient: {
    to: "To",
    toPlaceholder: "@handle",
    noHandle: "Enter a handle.",
    unknownHandle: "No one has this handle. Check the spelling.",
    write: "Write message",
  },
  pictureFields: {
    add: "Add pictures",
    tooMany: "A crud can have up to four pictures.",
    describe: (picture: string) => `Description of ${picture}`,
    describeHint: "Describe it for people who can’t see it",
    remove: (picture: string) => `Remove ${picture}`,
    uploading: (name: string) => `Uploading ${name}`,
    cancel: (name: string) => `Cancel the upload of ${name}`,
  },
  viewer: {
    noDescription: "Picture without a description",
    previous: "Previous picture",
    next: "Next picture",
  },
  accountPage: {
    home: "Cruddur, home",
    expires: "Everything you post here expires. You choose when.",
    name: "Name",
    nameHint: "Shown next to your cruds. It doesn’t have to be your real name.",
    handle: "Handle",
    handleHint: "2 to 30 letters (a to z), digits or underscores. You can’t change it later.",
    email: "Email",
    emailHint: "For your confirmation code and password resets. No one else can see it.",
    emailOrHandle: "Email or handle",
    password: "Password",
    passwordHint: "At least 10 characters, and hard to guess.",
    newPassword: "New password",
    code: "Code",
    codeLasts: "It works for 15 minutes.",
  },
  signUp: {
    title: "Join Cruddur",
    form: "Join",
    hasAccount: "Already have an account?",
    closedTitle: "Sign-up is closed",
    closed: "No new accounts are opened here right now. You can still read everything.",
    invitation: "Invitation code",
    invitationHint: "New members need an invitation here. The code is in the link that you got.",
    terms: "I accept the terms and the rules",
    readTerms: "Read the terms",
    newTerms: "The terms have changed. Read them again before you accept them.",
  },
  signIn: {
    title: "Sign in to Cruddur",
    isNew: "New to Cruddur?",
    enterCode: "Enter the code",
    forgot: "Forgot your password?",
    codeHint: "Six digits. You can also use a recovery code.",
    recoveryCode: "Recovery code",
    usePasskey: "Use your passkey",
    passkeyAlone: "Use a passkey instead",
  },
  confirm: {
    title: "Enter your code",
    isConfirmed: "Already confirmed?",
    mailed: "We sent a six-digit code to your email address.",
    printed: "Your six-digit code is printed in the terminal that runs Cruddur.",
    confirm: "Confirm",
    welcome: "Welcome to Cruddur!",
    ready: "Your account is ready. Sign in to start.",
    newCodePrinted: "New code printed",
    newCodeSent: "A new code is on its way",
    sendNewCode: "Send a new code",
    otherInvitation: "Use another invitation",
  },
  forgot: {
    title: "Forgot your password?",
    form: "Forgot password",
    remembered: "Remembered it?",
    text: "Enter your email address to get a code for a new password.",
    getCode: "Get a code",
  },
  reset: {
    title: "Choose a new password",
    form: "Reset password",
    noCode: "Didn’t get a code?",
    getNewCode: "Get a new one",
    mailed: "If this address has an account, we sent it a six-digit code.",
    printed:
      "If this address has an account, a six-digit code is printed in the terminal that runs Cruddur.",
    passwordHint: "At least 10 characters, and hard to guess. You’ll be signed out on all devices.",
    change: "Change password",
    changed: "Password changed. Sign in with the new one.",
  },
  shortcuts: {
    title: "Keyboard shortcuts",
    reading: "Read",
    writing: "Write",
    goTo: "Go to",
    help: "Help",
    next: "Next crud",
    previous: "Previous crud",
    open: "Open the crud",
    newCrud: "New crud, or new message on the Messages page",
    reply: "Reply to the crud",
    like: "Like or unlike the crud",
    ownProfile: "Your profile",
    list: "Show this list",
    off: (settings: Slot) => <>You can turn shortcuts off in {settings("Settings")}.</>,
  },
  completion: {
    suggestions: "Suggestions",
    count: (count: number) => plural(count, { one: "1 suggestion", other: `${count} suggestions` }),
  },
  offline: {
    title: "You’re offline.",
    text: "Cruds aren’t stored on this device. They’ll be here when you’re back online.",
  },
  settings: {
    title: "Settings",
    signOut: "Sign out",
    appearance: "Appearance",
    theme: "Theme",
    themes: { system: "System", light: "Light", dark: "Dark" },
    themeHint: "Saved on this device.",
    keyboard: "Keyboard",
    showShortcuts: "Show all shortcuts",
    language: "Language",
    languageLabel: "Language of this page",
    languageHint: "Saved on this device. Emails from Cruddur are in English.",
    picture: "Picture",
    wrongType: "Choose a JPEG, PNG, GIF or WebP picture.",
    tooLarge: "That picture is too large. It can be up to 8 MB.",
    pictureUpdated: "Picture updated",
    uploading: "Uploading…",
    choosePicture: "Choose a picture",
    pictureHint: "JPEG, PNG, GIF or WebP, up to 8 MB.",
    crop: "Crop your picture",
    noPreview:
      "Your browser can’t show this picture. You can still upload it, and we’ll crop it around the middle.",
    opening: "Opening your picture…",
    savePicture: "Save picture",
    cropArea: "Part of the picture to show",
    cropAreaKind: "crop area",
    cropSize: "Size",
    cropHint:
      "Drag the circle to move it, and its corner to change the size. You can also use the arrow keys, + and −.",
    removePictureMore: "Remove picture…",
    removePictureTitle: "Remove your picture?",
    removePictureText: "Everyone will see the first letter of your name instead.",
    removePicture: "Remove picture",
    pictureRemoved: "Picture removed",
    profile: "Profile",
    bio: "Bio",
    saveProfile: "Save profile",
    profileSaved: "Profile saved",
    password: "Password",
    currentPassword: "Current password",
    newPasswordHint:
      "At least 10 characters, and hard to guess. Your other devices will be signed out.",
    changePassword: "Change password",
    passwordChanged: "Password changed. Your other devices are signed out.",
    account: "Account",
    deleteAccountMore: "Delete account…",
    deleteTitle: "Delete your account?",
    deleteWarning:
      "This deletes your cruds, replies, likes, reposts and messages right away. You can’t undo it.",
    deleteAccount: "Delete account",
    accountDeleted: "Your account is deleted",
    yourPassword: "Your password",
  },
  email: {
    title: "Email address",
    present: (bold: Slot, email: string) => (
      <>Your address is {bold(email)}. No one else sees it.</>
    ),
    elsewhere: "It belongs to your sign-in provider, where you can change it.",
    newAddress: "New email address",
    begin: "Send code",
    confirmTitle: "Confirm your new address",
    mailed: (email: string) => `We sent a code to ${email}.`,
    printed: (email: string) => `The code for ${email} is in the terminal of the service.`,
    canBeStopped: "Your old address got a message, too: with it, you can stop the change.",
    code: "Code from the message",
    confirm: "Change address",
    other: "Use another address",
    changed: "Your email address is changed",
    stop: "Stop a change of address",
    stopText:
      "If you got a message that your address is about to change, and that wasn’t you, enter the code from it. Your old address comes back, and every device is signed out. Then reset your password.",
    stopCode: "Code from the message",
    stopNow: "Stop the change",
    stopped: "The change is stopped. Now reset your password.",
  },
  ownData: {
    title: "Your data",
    text: "The archive has everything that is stored about you: your profile, cruds, pictures, messages, follows and more. You can download it three times a day. The log says what moderators decided about you.",
    archive: "Download your data",
    audit: "Download the log about you",
    suspended:
      "Your data is still yours. For 15 minutes, you can download the archive of it, or delete your account. After that, sign in again. Until the suspension would have ended, no new account can have the email address of a deleted one.",
  },
  deleting: {
    title: "Delete this crud?",
    warning: "Its replies, likes and reposts will be deleted too. You can’t undo this.",
    gone: "It is gone already: it has expired, or was deleted on another device.",
  },
  safety: {
    muteMore: (handle: string) => `Mute @${handle}…`,
    muteTitle: (handle: string) => `Mute @${handle}?`,
    muteText:
      "You won’t see their cruds, reposts or notifications. They won’t know, and you’ll still get their messages.",
    muteFor: "For",
    forever: "Until I unmute them",
    mute: "Mute",
    muted: (handle: string) => `@${handle} is muted`,
    unmute: "Unmute",
    unmuted: (handle: string) => `@${handle} isn’t muted anymore`,
    mutedNote: (handle: string) => `You’ve muted @${handle}.`,
    mutedPeople: "Muted people",
    mutedUntil: (time: string) => `Until ${time}`,
    noneMuted: "You haven’t muted anyone.",
    blockMore: (handle: string) => `Block @${handle}…`,
    blockTitle: (handle: string) => `Block @${handle}?`,
    blockText:
      "You won’t see each other’s cruds, profiles or messages, and you’ll stop following each other. You can unblock them in Settings.",
    block: "Block",
    blocked: (handle: string) => `@${handle} is blocked`,
    unblock: "Unblock",
    unblocked: (handle: string) => `@${handle} isn’t blocked anymore`,
    blockedPeople: "Blocked people",
    noneBlocked: "You haven’t blocked anyone.",
    whoMessages: "Who can message you",
    policies: { everyone: "Everyone", following: "People you follow", nobody: "No one" },
    policyHint: "Conversations you’ve already accepted aren’t affected.",
    requests: "Requests",
    noRequests: "No message requests",
    noRequestsHint: "Messages from people you don’t follow show up here first.",
    requestText: (handle: string) =>
      `You don’t follow @${handle}. They won’t know that you’ve read this.`,
    accept: "Accept",
    accepted: "Request accepted",
    delete: "Delete",
    deleted: "Request deleted",
  },
  devices: {
    title: "Devices",
    this: "This device",
    activeNow: "Active now",
    active: (ago: ReactNode) => <>Active {ago}</>,
    signedIn: (ago: ReactNode) => <>signed in {ago}</>,
    methods: {
      password: "with your password",
      password_and_code: "with your password and a code",
      password_and_passkey: "with your password and a passkey",
      passkey: "with a passkey",
      sign_up: "by joining",
    },
    signOut: (device: string) => `Sign out ${device}`,
    signedOut: (device: string) => `Signed out ${device}`,
    signOutOthers: "Sign out all other devices",
    signedOutOthers: (count: number) =>
      plural(count, { one: "Signed out 1 device", other: `Signed out ${count} devices` }),
    browserOn: (browser: string, system: string) => `${browser} on ${system}`,
    unknown: "Unknown device",
  },
  secondFactor: {
    title: "Two‑factor sign-in",
    isOff: "Ask for a code from an app on your phone when someone signs in with your password.",
    isOn: (left: number) =>
      plural(left, {
        one: "Signing in needs your password and a code. You have 1 recovery code left.",
        other: `Signing in needs your password and a code. You have ${left} recovery codes left.`,
      }),
    setUpMore: "Set up two‑factor…",
    setUp: "Set up two‑factor sign-in",
    needsApp:
      "You need an authenticator app, such as the password app of your phone. Enter your password to start.",
    next: "Next",
    scan: "Scan this with your app, or type the key into it. Then enter the code that it shows.",
    qr: "QR code for your authenticator app",
    secret: "Key",
    code: "Code from your app",
    turnOn: "Turn on",
    recoveryTitle: "Two‑factor sign-in is on",
    recoveryHint:
      "Keep these recovery codes in a safe place. Each one signs you in once, together with your password, if you lose your phone or your passkey. We won’t show them again.",
    recoveryCodes: "Recovery codes",
    turnOffMore: "Turn off…",
    turnOffTitle: "Turn off two‑factor sign-in?",
    turnOffText: "Then your password is enough to sign in. Your recovery codes stop working.",
    turnOffKeepsPasskeys: "Then signing in needs your password and a passkey.",
    turnOff: "Turn off",
    turnedOff: "Two‑factor sign-in is off",
  },
  passkeys: {
    title: "Passkeys",
    what: "Sign in with your fingerprint, your face, the PIN of your device, or a security key. Once you have a passkey, your password alone isn’t enough to sign in.",
    added: (ago: ReactNode) => <>added {ago}</>,
    used: (ago: ReactNode) => <>last used {ago}</>,
    unused: "never used",
    codesLeft: (left: number) =>
      plural(left, {
        one: "You have 1 recovery code left, in case you lose your passkeys.",
        other: `You have ${left} recovery codes left, in case you lose your passkeys.`,
      }),
    unsupported: "This browser can’t make passkeys. Try another one.",
    addMore: "Add a passkey…",
    add: "Add a passkey",
    addHint: "Enter your password. Then your browser asks where to keep the passkey.",
    addedTitle: "Your passkey is ready",
    name: "Name of the passkey",
    nameHint: "For example, where you keep it.",
    rename: "Rename…",
    renameOne: (name: string) => `Rename ${name}`,
    renameTitle: "Rename passkey",
    save: "Save",
    removeMore: "Remove…",
    remove: "Remove",
    removeOne: (name: string) => `Remove ${name}`,
    removeTitle: (name: string) => `Remove ${name}?`,
    removeText: "You can’t sign in with this passkey anymore.",
    removed: (name: string) => `Removed ${name}`,
  },
  apiTokens: {
    title: "API tokens",
    what: "For bots and programs that act for you. Keep a token as secret as your password.",
    createMore: "Create a token…",
    create: "Create a token",
    name: "Name of the token",
    nameHint: "For example, what you use it for.",
    may: "What it can do",
    scopes: { read: "Read", write: "Write", message: "Messages" },
    scopeHints: {
      read: "Read cruds, profiles and notifications",
      write: "Post, react, and change your profile",
      message: "Read and send messages",
    },
    ttl: "Valid for",
    ttls: {
      "1-day": "1 day",
      "7-days": "7 days",
      "30-days": "30 days",
      "90-days": "90 days",
      "365-days": "1 year",
    },
    createdTitle: "Your new token",
    copyNow: "Copy the token now. We won’t show it again.",
    token: "API token",
    done: "Done",
    unused: "never used",
    used: (ago: ReactNode) => <>last used {ago}</>,
    expires: (time: string) => `expires ${time}`,
    expired: "expired",
    revoke: "Revoke",
    revokeOne: (name: string) => `Revoke ${name}`,
    revoked: (name: string) => `Revoked ${name}`,
  },
  secret: {
    copy: "Copy",
    copied: "Copied",
    keepFirst: (done: string) =>
      `Keep it somewhere first, then choose “${done}”. We won’t show it again.`,
    notCopied: "Your browser didn’t copy it. Select the text and copy it yourself.",
  },
  about: {
    title: "About",
    signUp: {
      open: "Anyone can join.",
      invitation: "You need an invitation to join.",
      closed: "No new accounts are opened right now.",
    },
    what: (bold: Slot, longest: string) => (
      <>
        Cruddur is a place for things that don’t have to last. A post is called a {bold("crud")}.
        Its author chooses how long it lives, at most {longest}. Then it’s gone, together with its
        replies, likes and reposts.
      </>
    ),
    goneTitle: "Gone means gone",
    gone: "A crud disappears the moment its time is up, and within a minute it’s deleted from the database. After that, no one can look it up, not even us. The only exception is a crud that someone reported: moderators keep a copy until they have decided, and for a while after. The fuse next to each crud shows how much of its life is left.",
    howTitle: "How it’s built",
    how: (api: Slot) => (
      <>
        Cruddur is an async service in Python, with Quart on Hypercorn, PostgreSQL, and
        OpenTelemetry throughout. Everything you can do on this page, you can also do with{" "}
        {api("its API")}.
      </>
    ),
    moreTitle: "More to read",
    more: (terms: Slot, privacy: Slot) => (
      <>
        Have a look at the {terms("terms of service")} and the {privacy("privacy policy")}. Both are
        short.
      </>
    ),
  },
  terms: {
    title: "Terms of service",
    decentTitle: "Be decent",
    decent:
      "What you write is yours, and so is the responsibility for it. Don’t harass anyone, don’t post anything illegal, and don’t pretend to be someone else. The fact that a crud expires is no excuse for what it says.",
    relyTitle: "What you can rely on",
    rely: "An expired crud isn’t shown to anyone, and is deleted within a minute. Only if someone reported it, moderators keep a copy for a while. No one can restore it, not even you. Others may have read it, remembered it or taken a screenshot. Software can’t undo that.",
    notRelyTitle: "What you can’t rely on",
    notRely:
      "The service comes as it is, without a warranty. It may be unavailable. Its operator may remove content that breaks these terms, and close the account that posted it.",
    deletingTitle: "Deleting your account",
    deleting: (settings: Slot) => (
      <>
        You can delete your account at any time in the {settings("settings")}. Your data is deleted
        with it, except the evidence of open cases about you, and entries in the logs.
      </>
    ),
    suspended:
      "While your account is suspended, you can still delete it and download your data: sign in, and the page shows you how. Until the suspension would have ended, no new account can have the same email address.",
  },
  privacy: {
    title: "Privacy policy",
    storedTitle: "What we store",
    account:
      "Your account: handle, name, bio, picture, email address, a hash of your password, and which version of the terms you accepted, and when. If you set them up, also the encrypted key of your authenticator app, hashes of your recovery codes, and the names and public keys of your passkeys. Your fingerprint or face never leaves your device.",
    cruds: "Your cruds and replies, with their pictures, likes and reposts, until they expire.",
    messages:
      "Your messages. Only the two people in a conversation can read them here, and moderators if one of them reports a message.",
    relations:
      "The people and tags you follow, the people you block or mute, your reports, and what moderators decided about you.",
    devices: (settings: Slot) => (
      <>
        Your devices: the browser’s name, its network address, and when it was last used. You can
        see the same list in your {settings("settings")}.
      </>
    ),
    howLongTitle: "For how long",
    howLong:
      "Cruds are deleted within a minute after they expire, and so are messages for which the two of you chose a lifetime. If you change your email address, we keep the old one for a week, so that you can take the change back. Everything else stays until you delete it, or your account. A device that isn’t used for a month is signed out.",
    reports:
      "If someone reports a crud, a profile or a message, moderators get an encrypted copy, with up to three messages around it. It is kept for two weeks, or for another time that the operator sets and can tell you, and for longer while a case is undecided, even if you delete your account. If you delete a suspended account, we keep a digest of its email address until the suspension would have ended, so that no new account opens with it. If you delete a crud within ten minutes, we keep an encrypted copy for ten more minutes, in case someone reports it. What moderators decide about you, and why, stays with your account, and in a log that only admins read.",
    download: (settings: Slot) => (
      <>
        You can download all of it in your {settings("settings")}, and after you sign in to a
        suspended account.
      </>
    ),
    browserTitle: "What we store in your browser",
    browser:
      "Cookies that scripts can’t read: one keeps you signed in, and one tells your own devices from strangers’ at the next sign-in. If your account is suspended, one lets you download and delete your data for 15 minutes. Also a note that you were signed in, your unsent drafts, the lifetime and the tab of the home page you chose last, the announcements you dismissed, and your choices of language, theme and keyboard shortcuts. None of it tracks you on other sites.",
    logsTitle: "Logs and traces",
    logs: "For each request, we record its time, route and outcome, so that we can find faults. We never record what you write, your passwords or your tokens.",
    othersTitle: "Who else can see it",
    others:
      "Everyone can see your cruds, replies and reposts, your handle, name, bio and picture, and the lists of people you follow and who follow you. Authors see who liked their cruds. There are no ads and no trackers. We load link previews ourselves, so the other site doesn’t see you until you follow the link.",
  },
  follows: {
    empty: "Nothing here yet",
    emptyHint: "Follow people and hashtags, and their cruds show up here until they expire.",
    suggested: "Who to follow",
    followers: "Followers",
    following: "Following",
    tabs: (handle: string) => `People around @${handle}`,
    noFollowers: "No followers yet",
    noFollowersHint: (handle: string) => `When someone follows @${handle}, they’ll show up here.`,
    noneFollowed: "No one yet",
    noneFollowedHint: (handle: string) => `People that @${handle} follows will show up here.`,
    tags: "Hashtags you follow",
  },
  search: {
    title: "Search",
    help: "Search for words, #tags or @handles. Use “quotes” for a phrase, and a minus to leave a word out.",
    results: "Results",
    people: "People",
    followTag: (tag: string) => `Follow #${tag}`,
    followingTag: (tag: string) => `Following #${tag}`,
    empty: "No cruds found",
    noMatch: (term: string) => `No live crud matches “${term}” right now.`,
  },
  notifications: {
    title: "Notifications",
    all: "All",
    mentions: "Mentions",
    empty: "No notifications yet",
    emptyHint: "Replies, mentions, likes, reposts and new followers will show up here.",
    noMentions: "No mentions yet",
    noMentionsHint: "Replies to you and cruds with your handle will show up here.",
    unread: "Unread:",
    /** "Gus", "Gus and Ravi", "Gus, Ravi and 7 others": two names at most, and a number. */
    people: (name: ReactNode, second: ReactNode, more: number) => (
      <>
        {name}
        {second && (
          <>
            {more > 0 ? ", " : " and "}
            {second}
          </>
        )}
        {more > 0 && ` and ${others(more)}`}
      </>
    ),
    // `count` is the number of people.
    replied: (people: ReactNode, _count: number) => <>{people} replied to you</>,
    mentioned: (people: ReactNode, _count: number) => <>{people} mentioned you</>,
    likedCrud: (people: ReactNode, _count: number) => <>{people} liked your crud</>,
    likedReply: (people: ReactNode, _count: number) => <>{people} liked your reply</>,
    repostedCrud: (people: ReactNode, _count: number) => <>{people} reposted your crud</>,
    repostedReply: (people: ReactNode, _count: number) => <>{people} reposted your reply</>,
    followed: (people: ReactNode, _count: number) => <>{people} followed you</>,
    showLess: "Show less",
    showAll: (count: number) => `Show all ${count} people`,
    peopleLabel: "People",
    andOthers: (count: number) => `and ${others(count)}`,
  },
  messages: {
    title: "Messages",
    conversations: "Conversations",
    empty: "No messages yet",
    emptyHint: "Choose “New message” to write to someone. Only the two of you can read it.",
    isYou: "This is you",
    notYourself: "You can’t message yourself.",
    unknown: "User not found",
    unknownHint: "No one has this handle. The account may have been deleted.",
    showOlder: "Show older messages",
    hello: "Say hello",
    helloHint: "Only the two of you can read this conversation.",
    sending: "Sending…",
    label: (handle: string) => `Message to @${handle}`,
    placeholder: (handle: string) => `Message @${handle}`,
    send: "Send",
    lifetime: (ttl: MessageTtl | null) =>
      ttl === null ? "New messages are kept" : `New messages disappear after ${AFTER[ttl]}`,
    line: (name: string | null, ttl: MessageTtl | null) =>
      ttl === null
        ? `${name ?? "You"} set new messages to be kept.`
        : `${name ?? "You"} set new messages to disappear after ${AFTER[ttl]}.`,
    lifetimeTitle: "How long messages live",
    lifetimeText: (handle: string) =>
      `This applies to new messages from both of you, and @${handle} sees the change. Earlier messages keep their lifetime.`,
    lifetimeLabel: "New messages disappear after",
    noLifetime: "Never",
    setLifetime: "Save",
  },
  report: {
    report: "Report",
    more: {
      crud: "Report this crud…",
      profile: "Report this profile…",
      message: "Report this message…",
    },
    title: {
      crud: (handle: string) => `Report this crud by @${handle}`,
      profile: (handle: string) => `Report @${handle}`,
      message: (handle: string) => `Report this message from @${handle}`,
    },
    hint: "A moderator gets a copy. The author doesn’t learn who reported it.",
    category: "What is it about?",
    choose: "Choose a reason",
    categories: {
      harassment: "Harassment or bullying",
      hate: "Hate",
      violence: "Violence or threats",
      sexual: "Sexual content",
      self_harm: "Self-harm",
      spam: "Spam or fraud",
      illegal: "Something illegal",
      other: "Something else",
    },
    words: "Details",
    wordsHint: "Optional. What should a moderator know?",
    late: "If it was deleted in the last ten minutes, you can still report it.",
    send: "Send report",
    sent: "Thanks. A moderator will look at it.",
    thisMessage: (message: string) => `Report: ${message}`,
  },
  notices: {
    title: "From the moderators",
    why: "Sign in to read what moderators decided",
    about: "What moderators decided about your account, and why.",
    unread: (count: number) =>
      plural(count, {
        one: "There is 1 new decision.",
        other: `There are ${count} new decisions.`,
      }),
    show: "Show decisions",
    none: "No decisions",
    noneHint: "If a moderator decides something about your account, you’ll read it here.",
    kinds: {
      warn: "A warning",
      remove_crud: "Your crud was removed",
      limit: "Your account was limited",
      suspend: "Your account was suspended",
      ban: "Your account was banned",
      lift: "Your restrictions were lifted",
    },
    until: (time: string) => `Suspended until ${time}`,
    over: "No longer in effect",
    limitedUntil: (time: string) =>
      `Limited until ${time}: only your followers see your cruds in feeds and in search`,
    appeal: "Appeal",
    words: "Why is the decision wrong?",
    once: "You can appeal once.",
    send: "Send appeal",
    appeals: {
      waiting: "Your appeal is waiting for a moderator.",
      upheld: "The decision stands.",
      overturned: "The decision was overturned.",
    },
  },
  announcements: {
    label: "Announcement:",
    dismiss: "Dismiss announcement",
    terms: (terms: Slot) => <>Our {terms("terms and rules")} have changed. Do you accept them?</>,
    accept: "Accept",
  },
  instance: {
    title: "Instance",
    why: "Sign in to manage the instance",
    notYou: "This page is for admins",
    notYouHint: "Admins are appointed on the command line.",
    announcements: "Announcements",
    announce: "Announce",
    announceHint: "Everyone sees it until it expires.",
    message: "Announcement",
    expires: "Expires in",
    until: (time: string) => `until ${time}`,
    delete: "Delete",
    settings: "Settings",
    saved: "The settings are saved.",
    save: "Save",
    name: "Name",
    description: "Description",
    descriptionHint: "Shown on the About page. Say who runs the instance, and how to reach you.",
    rules: "Rules",
    rulesHint: "Shown on the About and Terms pages.",
    newTerms: (version: number) =>
      `Ask all members to accept the terms and rules (version ${version + 1})`,
    signUp: "Who can sign up",
    modes: {
      open: "Anyone",
      invitation: "People with an invitation",
      closed: "No one",
    },
    blockedDomains: "Blocked email domains",
    blockedDomainsHint: "One on each line. Domains below them are blocked, too.",
    defaultTtl: "Default lifetime of cruds",
    maxTtl: "Longest lifetime of cruds",
    evidenceDays: "Days to keep evidence",
    evidenceDaysHint: "Reports and their evidence are kept longer while a case is open.",
    invitations: "Invitations",
    invitationsHint: "An invitation opens accounts while sign-up is for invited people.",
    invite: "Create invitation",
    maxUses: "Number of accounts",
    days: "Valid for (days)",
    link: "Invitation link",
    used: (uses: number, max: number) => `${uses} of ${max} used`,
    revoke: "Revoke",
  },
  moderation: {
    title: "Moderation",
    why: "Sign in to moderate",
    notYou: "This page is for moderators",
    notYouHint: "Ask an admin if you should be one.",
    needsSecondFactor: "Protect your account first",
    needsSecondFactorHint:
      "Moderators here need two‑factor sign-in or a passkey. Set one up in the settings, then come back.",
    toSettings: "Go to settings",
    audit: "Audit log",
    auditHint:
      "Who did what, when and why. The log has each look at evidence, each decision and each change of the instance.",
    auditLines: "Download as JSON lines",
    auditTable: "Download as CSV",
    empty: "No reports",
    emptyHint: "What members report will show up here.",
    subject: {
      crud: (handle: string | null) => `Crud by ${handle ?? "a deleted account"}`,
      profile: (handle: string | null) => `Profile of ${handle ?? "a deleted account"}`,
      message: (handle: string | null) => `Message from ${handle ?? "a deleted account"}`,
    },
    open: "Open",
    appealed: "Appealed",
    closed: "Closed",
    evidence: "Evidence",
    earlier: "Show earlier copies",
    noEvidence: "The evidence was deleted when its time was up.",
    unreadable: "We can’t read this text anymore, because its key was removed.",
    noPicture: "A picture is missing.",
    context: "What was reported, and what is around it",
    reported: "Reported",
    written: (time: string) => `Written ${time}.`,
    wasDeleted: "The author deleted it.",
    taken: (time: string, end: string) => `Copied ${time}, kept until ${end}.`,
    reports: "Reports",
    cannotAct: "You can’t decide about this case.",
    history: "History of the account",
    banned: "Banned",
    joined: (time: string, cases: number) =>
      `Joined ${time} · ${plural(cases, { one: "1 case", other: `${cases} cases` })}`,
    kinds: {
      dismiss: "Dismiss",
      warn: "Warn",
      remove_crud: "Remove crud",
      limit: "Limit",
      suspend: "Suspend",
      ban: "Ban",
      lift: "Lift restrictions",
    },
    /** The same decisions after they were made. */
    made: {
      dismiss: "Dismissed",
      warn: "Warned",
      remove_crud: "Crud removed",
      limit: "Limited",
      suspend: "Suspended",
      ban: "Banned",
      lift: "Restrictions lifted",
    },
    appeal: "Appeal:",
    decideAppeal: "Decide the appeal",
    decision: "Decision",
    uphold: "The decision stands",
    overturn: "Overturn the decision",
    decide: "Decide",
    days: "Days",
    limitHint:
      "People who don’t follow the account won’t see its cruds in Everyone, search and suggestions.",
    limitedUntil: (time: string) => `Limited until ${time}`,
    reason: "Reason",
    reasonHint: "The account sees it. Don’t quote what was reported.",
    dismissHint: "Only moderators see it. Don’t quote what was reported.",
    decided: "Decision saved",
  },
};
