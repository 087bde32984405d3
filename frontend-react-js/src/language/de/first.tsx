/** The messages of the first script, in German. */

import type { First } from "../en/first";
import { pluralsOf } from "../plural";
import { errors } from "./errors";

const plural = pluralsOf("de");

export const first: First = {
  errors,
  problem: {
    unknown: (code) => `Das hat nicht geklappt (${code}).`,
    wait: (minutes) =>
      minutes === null
        ? "Versuch es später noch einmal."
        : plural(minutes, {
            one: "Versuch es in einer Minute noch einmal.",
            other:
              minutes < 120
                ? `Versuch es in ${minutes} Minuten noch einmal.`
                : `Versuch es in ${Math.ceil(minutes / 60)} Stunden noch einmal.`,
          }),
    again: "Noch einmal versuchen",
    trace: "Trace",
    online: "Du bist wieder online. Versuch es noch einmal.",
    pageTitle: "Etwas ist schiefgegangen",
    page: "Wir konnten diese Seite nicht anzeigen. Lade sie neu, um die neueste Version zu bekommen.",
    reload: "Neu laden",
    signedOut: "Du wurdest auf diesem Gerät abgemeldet.",
  },
  account: {
    signIn: "Anmelden",
    join: "Jetzt mitmachen",
    membersOnly: "Nur für Mitglieder",
  },
  signInTo: {
    reply: "Melde dich an, um zu antworten",
    repost: "Melde dich an, um das zu reposten",
    like: "Melde dich an, um das zu liken",
    follow: (handle) => `Melde dich an, um @${handle} zu folgen`,
    followTag: (tag) => `Melde dich an, um #${tag} zu folgen`,
    message: (handle) => `Melde dich an, um @${handle} zu schreiben`,
    messages: "Melde dich an, um deine Nachrichten zu lesen",
    notifications: "Melde dich an, um deine Mitteilungen zu sehen",
    settings: "Melde dich an, um dein Profil und dein Konto zu ändern",
  },
  layout: {
    skip: "Zum Inhalt springen",
    back: "Zurück",
    close: "Schließen",
    dismiss: "Ausblenden",
    notices: "Hinweise",
    notLive: (more) => <>Nicht live{more(": Verbindung wird wiederhergestellt…")}</>,
  },
  list: {
    more: "Mehr anzeigen",
    loading: "Wird geladen",
    loadingMore: "Mehr wird geladen…",
    unread: "ungelesen",
  },
  nav: {
    label: "Hauptmenü",
    home: "Start",
    search: "Suche",
    notifications: "Mitteilungen",
    messages: "Nachrichten",
    profile: "Profil",
    settings: "Einstellungen",
    moderation: "Moderation",
    open: "offen",
    about: "Info",
    join: "Mitmachen",
    crud: "Crud",
    terms: "Nutzungsbedingungen",
    privacy: "Datenschutz",
  },
  sidebar: {
    label: "Mehr auf Cruddur",
    searchCruddur: "Cruddur durchsuchen",
    joinLabel: "Mitmachen",
    join: "Mach mit!",
    say: "Du hast etwas zu sagen?",
    crud: "Nicht lange nachdenken, einfach crudden.",
    forget: "Schon bereut? Kein Problem, wir vergessen es…",
    trendingLabel: "Trends",
    trending: "Gerade angesagt",
    cruds: (count) => plural(count, { one: "1 Crud", other: `${count} Cruds` }),
    suggested: "Vorschläge für dich",
  },
  time: {
    now: "jetzt",
    seconds: (count) => `${count} s`,
    minutes: (count) => `${count} min`,
    hours: (count) => `${count} h`,
    days: (count) => `${count} T`,
    secondsAgo: (count) => `vor ${count} s`,
    minutesAgo: (count) => `vor ${count} min`,
    hoursAgo: (count) => `vor ${count} h`,
    daysAgo: (count) => plural(count, { one: "vor 1 Tag", other: `vor ${count} Tagen` }),
    on: (date) => `am ${date}`,
    daysLeft: (days, hours) => `${days} T ${hours} h`,
    hoursLeft: (hours, minutes) => `${hours} h ${minutes} min`,
    minutesLeft: (minutes, seconds) => `${minutes} min ${seconds} s`,
    secondsLeft: (seconds) => `${seconds} s`,
    left: (time, unseen) => (
      <>
        {unseen("noch ")}
        {time}
      </>
    ),
    expires: (time) => `Läuft ab: ${time}`,
    goneSoon: (day, time) => `Weg ${day} um ${time}`,
    goneOn: (day, time) => `Weg am ${day} um ${time}`,
  },
  lifetimes: {
    "30-days": "30 Tage",
    "7-days": "7 Tage",
    "3-days": "3 Tage",
    "1-day": "1 Tag",
    "12-hours": "12 Stunden",
    "3-hours": "3 Stunden",
    "1-hour": "1 Stunde",
  },
  composer: {
    crud: "Neuer Crud",
    placeholder: "Was geht dir durch den Kopf?",
    post: "Crudden",
    livesFor: "Lebt",
    reply: (name) => `Antwort an ${name}`,
    replyPlaceholder: (handle) => `@${handle} antworten`,
    postReply: "Antworten",
    charactersLeft: (count) =>
      plural(count, { one: "Noch 1 Zeichen", other: `Noch ${count} Zeichen` }),
    charactersOver: (count) =>
      plural(count, { one: "1 Zeichen zu viel", other: `${count} Zeichen zu viel` }),
  },
  pictures: {
    numbered: (number, count) => `Bild ${number} von ${count}`,
  },
  crud: {
    by: (name) => `Crud von ${name}`,
    reposted: (name) => <>Repostet von {name}</>,
    forTag: (tag) => <>Du folgst {tag}</>,
    replyingTo: (person) => <>Antwort an {person}</>,
    sending: "wird gesendet…",
    justExpired: "Dieser Crud ist gerade abgelaufen.",
    reply: "Antworten",
    replies: (count) => plural(count, { one: "1 Antwort", other: `${count} Antworten` }),
    repost: "Reposten",
    reposts: (count) => plural(count, { one: "1 Repost", other: `${count} Reposts` }),
    like: "Gefällt mir",
    likes: (count) => plural(count, { one: "1 Like", other: `${count} Likes` }),
    share: "Teilen",
    more: "Mehr",
    shareTitle: (name) => `${name} auf Cruddur`,
    linkCopied: "Link kopiert",
    linkNotCopied: (url) => `Wir konnten den Link nicht kopieren: ${url}`,
    delete: "Löschen",
    cancel: "Abbrechen",
    posted: "Dein Crud ist da.",
    replyPosted: "Antwort gesendet",
    view: "Ansehen",
  },
  thread: {
    crud: "Crud",
    reply: "Antwort",
    expires: (time) => <>läuft ab: {time}</>,
    replies: "Antworten",
    repliesTo: (name) => `Antworten an ${name}`,
    noReplies: "Noch keine Antworten",
    beFirst: "Schreib die erste.",
    earlier: "Früher in dieser Unterhaltung",
    showEarlier: "Frühere Cruds anzeigen",
    showReplies: (count) =>
      plural(count, { one: "1 Antwort anzeigen", other: `${count} Antworten anzeigen` }),
    showMoreReplies: (count) =>
      plural(count, {
        one: "1 weitere Antwort anzeigen",
        other: `${count} weitere Antworten anzeigen`,
      }),
    gone: "Dieser Crud ist weg",
    deleted: "Du hast ihn gelöscht, mit allen Antworten, Likes und Reposts.",
    expired: "Er ist abgelaufen, wurde gelöscht oder hat nie existiert.",
    seeLatest: "Zu den neuesten Cruds",
  },
  home: {
    title: "Start",
    empty: "Gerade gibt es keine Cruds",
    beFirst: "Schreib den ersten. Er bleibt nicht für immer.",
    feeds: "Feeds",
    everyone: "Alle",
    following: "Gefolgt",
    welcome: "Willkommen",
    say: "Sag es jetzt. Schon bereut? Kein Problem, wir vergessen es.",
    newCruds: (count, more) =>
      plural(count, { one: "1 neuer Crud", other: `${count}${more} neue Cruds` }),
  },
  newMessage: {
    title: "Neue Nachricht",
  },
  profile: {
    label: "Profil",
    unknown: "Nicht gefunden",
    unknownHint: "Zu diesem Handle gibt es kein Konto. Vielleicht wurde es gelöscht.",
    noneOfYours: "Du hast gerade keine Cruds",
    noneOfYoursHint: "Was du schreibst oder repostest, steht hier, bis es abläuft.",
    none: "Gerade gibt es keine Cruds",
    noneHint: (handle) => `Sobald @${handle} etwas schreibt, steht es hier.`,
    edit: "Profil bearbeiten",
    message: "Nachricht",
    liveCruds: (count, bold) => (
      <>
        {bold(String(count))} {plural(count, { one: "aktueller Crud", other: "aktuelle Cruds" })}
      </>
    ),
    feed: "Atom-Feed",
    follow: "Folgen",
    following: "Gefolgt",
    followPerson: (handle) => `@${handle} folgen`,
    followingPerson: (handle) => `Gefolgt: @${handle}`,
    followers: (count, bold) => <>{bold(String(count))} Follower</>,
    followed: (count, bold) => <>{bold(String(count))} gefolgt</>,
  },
  notFound: {
    title: "Nicht gefunden",
    nothing: "Hier ist nichts",
    hint: "Prüf die Adresse. Falls sie zu einem Crud geführt hat, ist er vielleicht abgelaufen.",
    goHome: "Zur Startseite",
  },
  titles: {
    crud: (name, text) => `${name}: „${text}“`,
  },
};
