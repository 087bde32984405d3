/** The messages that only the further pages use, in German. */

import type { MessageTtl } from "../../api/wire";
import type { Further } from "../en/further";
import { pluralsOf } from "../plural";
import { moreErrors } from "./moreErrors";

const plural = pluralsOf("de");

const others = (count: number) =>
  plural(count, { one: "1 weitere Person", other: `${count} weitere` });

const AFTER: Record<MessageTtl, string> = {
  "30-days": "30 Tagen",
  "7-days": "7 Tagen",
  "1-day": "1 Tag",
  "1-hour": "1 Stunde",
};

export const further: Further = {
  moreErrors,
  recipient: {
    to: "An",
    toPlaceholder: "@handle",
    noHandle: "Gib einen Handle ein.",
    unknownHandle: "Diesen Handle hat niemand. Prüf die Schreibweise.",
    write: "Nachricht schreiben",
  },
  pictureFields: {
    add: "Bilder hinzufügen",
    tooMany: "Ein Crud kann bis zu vier Bilder haben.",
    describe: (picture) => `Beschreibung von ${picture}`,
    describeHint: "Beschreib es für alle, die es nicht sehen können",
    remove: (picture) => `${picture} entfernen`,
    uploading: (name) => `${name} wird hochgeladen`,
    cancel: (name) => `Hochladen von ${name} abbrechen`,
  },
  viewer: {
    noDescription: "Bild ohne Beschreibung",
    previous: "Vorheriges Bild",
    next: "Nächstes Bild",
  },
  accountPage: {
    home: "Cruddur, Startseite",
    expires: "Alles, was du hier schreibst, läuft ab. Du bestimmst, wann.",
    name: "Name",
    nameHint: "Steht neben deinen Cruds. Es muss nicht dein echter Name sein.",
    handle: "Handle",
    handleHint:
      "2 bis 30 Buchstaben (a bis z), Ziffern oder Unterstriche. Du kannst ihn später nicht ändern.",
    email: "E-Mail",
    emailHint: "Für deinen Bestätigungscode und ein neues Passwort. Niemand sonst kann sie sehen.",
    emailOrHandle: "E-Mail oder Handle",
    password: "Passwort",
    passwordHint: "Mindestens 10 Zeichen und schwer zu erraten.",
    newPassword: "Neues Passwort",
    code: "Code",
    codeLasts: "Er gilt 15 Minuten.",
  },
  signUp: {
    title: "Bei Cruddur mitmachen",
    form: "Mitmachen",
    hasAccount: "Du hast schon ein Konto?",
    closedTitle: "Die Registrierung ist geschlossen",
    closed: "Hier werden zurzeit keine neuen Konten eröffnet. Lesen kannst du weiterhin alles.",
    invitation: "Einladungscode",
    invitationHint:
      "Neue Mitglieder brauchen hier eine Einladung. Der Code steht in dem Link, den du bekommen hast.",
    terms: "Ich stimme den Nutzungsbedingungen und den Regeln zu",
    readTerms: "Nutzungsbedingungen lesen",
    newTerms: "Die Bedingungen haben sich geändert. Lies sie noch einmal, bevor du zustimmst.",
  },
  signIn: {
    title: "Bei Cruddur anmelden",
    isNew: "Neu bei Cruddur?",
    enterCode: "Code eingeben",
    forgot: "Passwort vergessen?",
    codeHint: "Sechs Ziffern. Ein Ersatzcode geht auch.",
    recoveryCode: "Ersatzcode",
    usePasskey: "Passkey benutzen",
    passkeyAlone: "Stattdessen Passkey nutzen",
  },
  confirm: {
    title: "Gib deinen Code ein",
    isConfirmed: "Schon bestätigt?",
    mailed: "Wir haben dir einen sechsstelligen Code per E-Mail geschickt.",
    printed: "Dein sechsstelliger Code steht im Terminal, in dem Cruddur läuft.",
    confirm: "Bestätigen",
    welcome: "Willkommen bei Cruddur!",
    ready: "Dein Konto ist bereit. Melde dich an, um loszulegen.",
    newCodePrinted: "Der neue Code steht im Terminal",
    newCodeSent: "Ein neuer Code ist unterwegs",
    sendNewCode: "Neuen Code senden",
    otherInvitation: "Andere Einladung verwenden",
  },
  forgot: {
    title: "Passwort vergessen?",
    form: "Passwort vergessen",
    remembered: "Wieder eingefallen?",
    text: "Gib deine E-Mail-Adresse ein. Du bekommst einen Code für ein neues Passwort.",
    getCode: "Code anfordern",
  },
  reset: {
    title: "Wähle ein neues Passwort",
    form: "Passwort zurücksetzen",
    noCode: "Keinen Code bekommen?",
    getNewCode: "Neuen anfordern",
    mailed:
      "Falls es zu dieser Adresse ein Konto gibt, haben wir einen sechsstelligen Code geschickt.",
    printed:
      "Falls es zu dieser Adresse ein Konto gibt, steht ein sechsstelliger Code im Terminal, in dem Cruddur läuft.",
    passwordHint:
      "Mindestens 10 Zeichen und schwer zu erraten. Du wirst auf allen Geräten abgemeldet.",
    change: "Passwort ändern",
    changed: "Passwort geändert. Melde dich mit dem neuen an.",
  },
  shortcuts: {
    title: "Tastenkürzel",
    reading: "Lesen",
    writing: "Schreiben",
    goTo: "Gehe zu",
    help: "Hilfe",
    next: "Nächster Crud",
    previous: "Vorheriger Crud",
    open: "Crud öffnen",
    newCrud: "Neuer Crud, oder unter Nachrichten eine neue Nachricht",
    reply: "Auf den Crud antworten",
    like: "Crud liken oder Like zurücknehmen",
    ownProfile: "Dein Profil",
    list: "Diese Liste anzeigen",
    off: (settings) => <>In den {settings("Einstellungen")} kannst du Tastenkürzel ausschalten.</>,
  },
  completion: {
    suggestions: "Vorschläge",
    count: (count) => plural(count, { one: "1 Vorschlag", other: `${count} Vorschläge` }),
  },
  offline: {
    title: "Du bist offline.",
    text: "Auf diesem Gerät werden keine Cruds gespeichert. Sie erscheinen, sobald du wieder online bist.",
  },
  settings: {
    title: "Einstellungen",
    signOut: "Abmelden",
    appearance: "Darstellung",
    theme: "Farben",
    themes: { system: "Wie das System", light: "Hell", dark: "Dunkel" },
    themeHint: "Auf diesem Gerät gespeichert.",
    keyboard: "Tastatur",
    showShortcuts: "Alle Tastenkürzel anzeigen",
    language: "Sprache",
    languageLabel: "Sprache dieser Seite",
    languageHint: "Auf diesem Gerät gespeichert. E-Mails von Cruddur sind auf Englisch.",
    picture: "Bild",
    wrongType: "Wähle ein Bild im Format JPEG, PNG, GIF oder WebP.",
    tooLarge: "Das Bild ist zu groß. Es darf höchstens 8 MB haben.",
    pictureUpdated: "Bild geändert",
    uploading: "Wird hochgeladen…",
    choosePicture: "Bild auswählen",
    pictureHint: "JPEG, PNG, GIF oder WebP, höchstens 8 MB.",
    crop: "Bild zuschneiden",
    noPreview:
      "Dein Browser kann dieses Bild nicht anzeigen. Du kannst es trotzdem hochladen. Wir nehmen dann die Mitte.",
    opening: "Bild wird geöffnet…",
    savePicture: "Bild speichern",
    cropArea: "Sichtbarer Teil des Bildes",
    cropAreaKind: "Ausschnitt",
    cropSize: "Größe",
    cropHint:
      "Ziehe den Kreis, um ihn zu bewegen, und seine Ecke, um die Größe zu ändern. Du kannst auch die Pfeiltasten, + und − verwenden.",
    removePictureMore: "Bild entfernen…",
    removePictureTitle: "Bild entfernen?",
    removePictureText: "Alle sehen dann stattdessen den ersten Buchstaben deines Namens.",
    removePicture: "Bild entfernen",
    pictureRemoved: "Bild entfernt",
    profile: "Profil",
    bio: "Bio",
    saveProfile: "Profil speichern",
    profileSaved: "Profil gespeichert",
    password: "Passwort",
    currentPassword: "Aktuelles Passwort",
    newPasswordHint:
      "Mindestens 10 Zeichen und schwer zu erraten. Deine anderen Geräte werden abgemeldet.",
    changePassword: "Passwort ändern",
    passwordChanged: "Passwort geändert. Deine anderen Geräte sind abgemeldet.",
    account: "Konto",
    deleteAccountMore: "Konto löschen…",
    deleteTitle: "Dein Konto löschen?",
    deleteWarning:
      "Deine Cruds, Antworten, Likes, Reposts und Nachrichten werden sofort gelöscht. Das lässt sich nicht rückgängig machen.",
    deleteAccount: "Konto löschen",
    accountDeleted: "Dein Konto ist gelöscht",
    yourPassword: "Dein Passwort",
  },
  email: {
    title: "E‑Mail‑Adresse",
    present: (bold, email) => <>Deine Adresse ist {bold(email)}. Sonst sieht sie niemand.</>,
    elsewhere: "Sie gehört zu deinem Anmeldedienst, bei dem du sie ändern kannst.",
    newAddress: "Neue E‑Mail‑Adresse",
    begin: "Code senden",
    confirmTitle: "Deine neue Adresse bestätigen",
    mailed: (email) => `Wir haben einen Code an ${email} gesendet.`,
    printed: (email) => `Der Code für ${email} steht im Terminal des Dienstes.`,
    canBeStopped:
      "Deine alte Adresse hat auch eine Nachricht bekommen: Damit kannst du die Änderung stoppen.",
    code: "Code aus der Nachricht",
    confirm: "Adresse ändern",
    other: "Andere Adresse nehmen",
    changed: "Deine E-Mail-Adresse ist geändert",
    stop: "Adressänderung stoppen",
    stopText:
      "Wenn du die Nachricht bekommen hast, dass sich deine Adresse ändern soll, und das nicht du warst, gib den Code daraus ein. Dann gilt wieder deine alte Adresse, und alle Geräte werden abgemeldet. Setz danach dein Passwort zurück.",
    stopCode: "Code aus der Nachricht",
    stopNow: "Änderung stoppen",
    stopped: "Die Änderung ist gestoppt. Setz jetzt dein Passwort zurück.",
  },
  ownData: {
    title: "Deine Daten",
    text: "Das Archiv enthält alles, was über dich gespeichert ist: dein Profil, deine Cruds, Bilder, Nachrichten, wem du folgst und mehr. Du kannst es dreimal am Tag herunterladen. Im Protokoll steht, was die Moderation über dich entschieden hat.",
    archive: "Deine Daten herunterladen",
    audit: "Protokoll herunterladen",
    suspended:
      "Deine Daten gehören weiter dir. 15 Minuten lang kannst du das Archiv herunterladen oder dein Konto löschen. Danach melde dich noch einmal an. Bis die Sperre geendet hätte, kann kein neues Konto die E-Mail-Adresse eines gelöschten haben.",
  },
  deleting: {
    title: "Diesen Crud löschen?",
    warning:
      "Seine Antworten, Likes und Reposts werden mitgelöscht. Das lässt sich nicht rückgängig machen.",
    gone: "Er ist schon weg: abgelaufen, oder auf einem anderen Gerät gelöscht.",
  },
  safety: {
    muteMore: (handle) => `@${handle} stummschalten…`,
    muteTitle: (handle) => `@${handle} stummschalten?`,
    muteText:
      "Du siehst keine Cruds, Reposts und Mitteilungen dieser Person mehr. Sie merkt nichts davon, und du bekommst weiter ihre Nachrichten.",
    muteFor: "Für",
    forever: "Bis ich es aufhebe",
    mute: "Stummschalten",
    muted: (handle) => `@${handle} ist stummgeschaltet`,
    unmute: "Stummschaltung aufheben",
    unmuted: (handle) => `@${handle} ist nicht mehr stummgeschaltet`,
    mutedNote: (handle) => `Du hast @${handle} stummgeschaltet.`,
    mutedPeople: "Stummgeschaltete Personen",
    mutedUntil: (time) => `Bis ${time}`,
    noneMuted: "Du hast niemanden stummgeschaltet.",
    blockMore: (handle) => `@${handle} blockieren…`,
    blockTitle: (handle) => `@${handle} blockieren?`,
    blockText:
      "Ihr seht dann keine Cruds, Profile und Nachrichten mehr voneinander und folgt euch nicht mehr. Du kannst die Blockierung in den Einstellungen aufheben.",
    block: "Blockieren",
    blocked: (handle) => `@${handle} ist blockiert`,
    unblock: "Blockierung aufheben",
    unblocked: (handle) => `@${handle} ist nicht mehr blockiert`,
    blockedPeople: "Blockierte Personen",
    noneBlocked: "Du hast niemanden blockiert.",
    whoMessages: "Wer dir schreiben kann",
    policies: { everyone: "Alle", following: "Personen, denen du folgst", nobody: "Niemand" },
    policyHint: "Unterhaltungen, die du schon angenommen hast, bleiben.",
    requests: "Anfragen",
    noRequests: "Keine Nachrichtenanfragen",
    noRequestsHint: "Nachrichten von Personen, denen du nicht folgst, stehen zuerst hier.",
    requestText: (handle) =>
      `Du folgst @${handle} nicht. Niemand erfährt, dass du das gelesen hast.`,
    accept: "Annehmen",
    accepted: "Anfrage angenommen",
    delete: "Löschen",
    deleted: "Anfrage gelöscht",
  },
  devices: {
    title: "Geräte",
    this: "Dieses Gerät",
    activeNow: "Gerade aktiv",
    active: (ago) => <>Zuletzt aktiv {ago}</>,
    signedIn: (ago) => <>angemeldet {ago}</>,
    methods: {
      password: "mit deinem Passwort",
      password_and_code: "mit deinem Passwort und einem Code",
      password_and_passkey: "mit deinem Passwort und einem Passkey",
      passkey: "mit einem Passkey",
      sign_up: "beim Beitreten",
    },
    signOut: (device) => `${device} abmelden`,
    signedOut: (device) => `${device} ist abgemeldet`,
    signOutOthers: "Alle anderen Geräte abmelden",
    signedOutOthers: (count) =>
      plural(count, { one: "1 Gerät abgemeldet", other: `${count} Geräte abgemeldet` }),
    browserOn: (browser, system) => `${browser} auf ${system}`,
    unknown: "Unbekanntes Gerät",
  },
  secondFactor: {
    title: "Anmeldung mit zwei Faktoren",
    isOff:
      "Verlange einen Code aus einer App auf deinem Handy, wenn sich jemand mit deinem Passwort anmeldet.",
    isOn: (left) =>
      plural(left, {
        one: "Zur Anmeldung gehören dein Passwort und ein Code. Du hast noch 1 Ersatzcode.",
        other: `Zur Anmeldung gehören dein Passwort und ein Code. Du hast noch ${left} Ersatzcodes.`,
      }),
    setUpMore: "Zwei Faktoren einrichten…",
    setUp: "Zwei Faktoren einrichten",
    needsApp:
      "Du brauchst eine Authenticator-App, zum Beispiel die Passwort-App deines Handys. Gib zuerst dein Passwort ein.",
    next: "Weiter",
    scan: "Scanne das mit deiner App, oder tippe den Schlüssel ein. Gib dann den Code ein, den sie zeigt.",
    qr: "QR-Code für deine Authenticator-App",
    secret: "Schlüssel",
    code: "Code aus deiner App",
    turnOn: "Einschalten",
    recoveryTitle: "Zwei Faktoren sind eingeschaltet",
    recoveryHint:
      "Bewahre diese Ersatzcodes sicher auf. Mit jedem kannst du dich einmal anmelden, zusammen mit deinem Passwort, wenn du dein Handy oder deinen Passkey verlierst. Wir zeigen sie nicht noch einmal.",
    recoveryCodes: "Ersatzcodes",
    turnOffMore: "Ausschalten…",
    turnOffTitle: "Zwei Faktoren ausschalten?",
    turnOffText: "Dann reicht dein Passwort zur Anmeldung. Deine Ersatzcodes gelten nicht mehr.",
    turnOffKeepsPasskeys: "Dann gehören zur Anmeldung dein Passwort und ein Passkey.",
    turnOff: "Ausschalten",
    turnedOff: "Zwei Faktoren sind ausgeschaltet",
  },
  passkeys: {
    title: "Passkeys",
    what: "Melde dich mit deinem Fingerabdruck, deinem Gesicht, der PIN deines Geräts oder einem Sicherheitsschlüssel an. Sobald du einen Passkey hast, reicht dein Passwort allein nicht mehr.",
    added: (ago) => <>hinzugefügt {ago}</>,
    used: (ago) => <>zuletzt benutzt {ago}</>,
    unused: "nie benutzt",
    codesLeft: (left) =>
      plural(left, {
        one: "Du hast noch 1 Ersatzcode, falls du deine Passkeys verlierst.",
        other: `Du hast noch ${left} Ersatzcodes, falls du deine Passkeys verlierst.`,
      }),
    unsupported: "Dieser Browser kann keine Passkeys anlegen. Versuch einen anderen.",
    addMore: "Passkey hinzufügen…",
    add: "Passkey hinzufügen",
    addHint: "Gib dein Passwort ein. Dann fragt dein Browser, wo er den Passkey speichern soll.",
    addedTitle: "Dein Passkey ist fertig",
    name: "Name des Passkeys",
    nameHint: "Zum Beispiel, wo du ihn aufbewahrst.",
    rename: "Umbenennen…",
    renameOne: (name) => `${name} umbenennen`,
    renameTitle: "Passkey umbenennen",
    save: "Speichern",
    removeMore: "Entfernen…",
    remove: "Entfernen",
    removeOne: (name) => `${name} entfernen`,
    removeTitle: (name) => `${name} entfernen?`,
    removeText: "Mit diesem Passkey kannst du dich dann nicht mehr anmelden.",
    removed: (name) => `${name} ist entfernt`,
  },
  apiTokens: {
    title: "API-Tokens",
    what: "Für Bots und Programme, die in deinem Namen handeln. Halte ein Token so geheim wie dein Passwort.",
    createMore: "Token erstellen…",
    create: "Token erstellen",
    name: "Name des Tokens",
    nameHint: "Zum Beispiel, wofür du es verwendest.",
    may: "Was es darf",
    scopes: { read: "Lesen", write: "Schreiben", message: "Nachrichten" },
    scopeHints: {
      read: "Cruds, Profile und Mitteilungen lesen",
      write: "Posten, reagieren und dein Profil ändern",
      message: "Nachrichten lesen und senden",
    },
    ttl: "Gültig für",
    ttls: {
      "1-day": "1 Tag",
      "7-days": "7 Tage",
      "30-days": "30 Tage",
      "90-days": "90 Tage",
      "365-days": "1 Jahr",
    },
    createdTitle: "Dein neues Token",
    copyNow: "Kopiere das Token jetzt. Wir zeigen es nicht noch einmal.",
    token: "API-Token",
    done: "Fertig",
    unused: "nie benutzt",
    used: (ago) => <>zuletzt benutzt {ago}</>,
    expires: (time) => `läuft ab: ${time}`,
    expired: "abgelaufen",
    revoke: "Widerrufen",
    revokeOne: (name) => `${name} widerrufen`,
    revoked: (name) => `${name} ist widerrufen`,
  },
  secret: {
    copy: "Kopieren",
    copied: "Kopiert",
    keepFirst: (done) =>
      `Bewahre es erst auf, dann wähle „${done}“. Wir zeigen es nicht noch einmal.`,
    notCopied: "Dein Browser hat nicht kopiert. Markiere den Text und kopiere ihn selbst.",
  },
  about: {
    title: "Über Cruddur",
    signUp: {
      open: "Alle können mitmachen.",
      invitation: "Zum Mitmachen brauchst du eine Einladung.",
      closed: "Zurzeit werden keine neuen Konten eröffnet.",
    },
    what: (bold, longest) => (
      <>
        Cruddur ist ein Ort für alles, was nicht bleiben muss. Ein Beitrag heißt {bold("Crud")}. Wer
        ihn schreibt, bestimmt, wie lange er lebt: höchstens {longest}. Dann ist er weg, mit allen
        Antworten, Likes und Reposts.
      </>
    ),
    goneTitle: "Weg heißt weg",
    gone: "Ein Crud verschwindet in dem Moment, in dem seine Zeit um ist, und innerhalb einer Minute ist er aus der Datenbank gelöscht. Danach kann ihn niemand mehr nachschlagen, auch wir nicht. Die einzige Ausnahme ist ein Crud, den jemand gemeldet hat: Die Moderation behält eine Kopie, bis sie entschieden hat, und eine Weile danach. Die Lunte neben jedem Crud zeigt, wie viel Leben noch in ihm steckt.",
    howTitle: "Wie Cruddur gebaut ist",
    how: (api) => (
      <>
        Cruddur ist ein asynchroner Dienst in Python, mit Quart auf Hypercorn, PostgreSQL und
        durchgehend OpenTelemetry. Alles, was du auf dieser Seite tun kannst, geht auch über{" "}
        {api("die API")}.
      </>
    ),
    moreTitle: "Mehr zu lesen",
    more: (terms, privacy) => (
      <>
        Wirf einen Blick auf die {terms("Nutzungsbedingungen")} und die{" "}
        {privacy("Datenschutzerklärung")}. Beide sind kurz.
      </>
    ),
  },
  terms: {
    title: "Nutzungsbedingungen",
    decentTitle: "Sei anständig",
    decent:
      "Was du schreibst, gehört dir, und du bist dafür verantwortlich. Belästige niemanden, schreib nichts Verbotenes, und gib dich nicht für jemand anderen aus. Dass ein Crud abläuft, entschuldigt nicht, was in ihm steht.",
    relyTitle: "Worauf du dich verlassen kannst",
    rely: "Ein abgelaufener Crud wird niemandem mehr gezeigt und innerhalb einer Minute gelöscht. Nur wenn ihn jemand gemeldet hat, behält die Moderation eine Weile eine Kopie. Niemand kann ihn wiederherstellen, auch du nicht. Andere können ihn gelesen, sich gemerkt oder einen Screenshot davon gemacht haben. Das kann keine Software ungeschehen machen.",
    notRelyTitle: "Worauf du dich nicht verlassen kannst",
    notRely:
      "Du bekommst den Dienst so, wie er ist, ohne Gewähr. Er kann ausfallen. Wer ihn betreibt, darf Inhalte entfernen, die gegen diese Bedingungen verstoßen, und das Konto schließen, von dem sie stammen.",
    deletingTitle: "Dein Konto löschen",
    deleting: (settings) => (
      <>
        Du kannst dein Konto jederzeit in den {settings("Einstellungen")} löschen. Damit werden auch
        deine Daten gelöscht, außer den Beweisen offener Fälle, die dich betreffen, und Einträgen in
        den Protokollen.
      </>
    ),
    suspended:
      "Auch solange dein Konto gesperrt ist, kannst du es löschen und deine Daten herunterladen: Melde dich an, dann zeigt dir die Seite, wie. Bis die Sperre geendet hätte, kann kein neues Konto dieselbe E-Mail-Adresse haben.",
  },
  privacy: {
    title: "Datenschutzerklärung",
    storedTitle: "Was wir speichern",
    account:
      "Dein Konto: Handle, Name, Bio, Bild, E-Mail-Adresse, einen Hash deines Passworts, und welcher Version der Nutzungsbedingungen du wann zugestimmt hast. Wenn du sie einrichtest, auch den verschlüsselten Schlüssel deiner Authenticator-App, Hashes deiner Ersatzcodes sowie Namen und öffentliche Schlüssel deiner Passkeys. Dein Fingerabdruck und dein Gesicht bleiben auf deinem Gerät.",
    cruds: "Deine Cruds und Antworten, mit ihren Bildern, Likes und Reposts, bis sie ablaufen.",
    messages:
      "Deine Nachrichten. Nur die beiden, die sich schreiben, können sie hier lesen, und die Moderation, wenn jemand von ihnen eine Nachricht meldet.",
    relations:
      "Wem und welchen Tags du folgst, wen du blockierst oder stummschaltest, deine Meldungen, und was die Moderation über dich entschieden hat.",
    devices: (settings) => (
      <>
        Deine Geräte: den Namen des Browsers, seine Netzwerkadresse und wann er zuletzt benutzt
        wurde. Dieselbe Liste siehst du in deinen {settings("Einstellungen")}.
      </>
    ),
    howLongTitle: "Wie lange",
    howLong:
      "Cruds werden innerhalb einer Minute gelöscht, nachdem sie abgelaufen sind, ebenso Nachrichten, für die ihr beide eine Lebensdauer gewählt habt. Wenn du deine E-Mail-Adresse änderst, behalten wir die alte eine Woche lang, damit du das rückgängig machen kannst. Alles andere bleibt, bis du es oder dein Konto löschst. Ein Gerät, das einen Monat lang nicht benutzt wird, wird abgemeldet.",
    reports:
      "Wenn jemand einen Crud, ein Profil oder eine Nachricht meldet, bekommt die Moderation eine verschlüsselte Kopie, mit bis zu drei Nachrichten darum herum. Sie wird zwei Wochen lang aufbewahrt, oder so lange, wie es hier festgelegt ist (frag, wer diesen Dienst betreibt), und länger, solange über einen Fall nicht entschieden ist, auch wenn du dein Konto löschst. Wenn du ein gesperrtes Konto löschst, behalten wir einen Hash seiner E-Mail-Adresse, bis die Sperre geendet hätte, damit mit ihr kein neues Konto eröffnet wird. Wenn du einen Crud innerhalb von zehn Minuten löschst, bewahren wir eine verschlüsselte Kopie zehn Minuten lang auf, falls ihn jemand meldet. Was die Moderation über dich entscheidet und warum, bleibt bei deinem Konto und in einem Protokoll, das nur die Administration liest.",
    download: (settings) => (
      <>
        Du kannst alles davon in deinen {settings("Einstellungen")} herunterladen, und auch, nachdem
        du dich an einem gesperrten Konto angemeldet hast.
      </>
    ),
    browserTitle: "Was wir in deinem Browser speichern",
    browser:
      "Cookies, die Skripte nicht lesen können: Eines hält dich angemeldet, das andere unterscheidet beim nächsten Anmelden deine Geräte von fremden. Ist dein Konto gesperrt, kannst du mit einem weiteren 15 Minuten lang deine Daten herunterladen und löschen. Außerdem einen Vermerk, dass du angemeldet warst, deine nicht gesendeten Entwürfe, die zuletzt gewählte Lebensdauer, den zuletzt gewählten Reiter der Startseite, ausgeblendete Ankündigungen und was du bei Sprache, Farben und Tastenkürzeln gewählt hast. Nichts davon verfolgt dich auf anderen Websites.",
    logsTitle: "Protokolle und Traces",
    logs: "Zu jeder Anfrage halten wir Zeitpunkt, Route und Ergebnis fest, damit wir Fehler finden können. Was du schreibst, deine Passwörter und deine Tokens halten wir nie fest.",
    othersTitle: "Wer das sonst sehen kann",
    others:
      "Alle können deine Cruds, Antworten und Reposts sehen, außerdem deinen Handle, deinen Namen, deine Bio, dein Bild und die Listen der Leute, denen du folgst und die dir folgen. Wer einen Crud geschrieben hat, sieht, wem er gefällt. Es gibt keine Werbung und keine Tracker. Die Vorschau eines Links laden wir selbst. Die andere Website erfährt also erst von dir, wenn du dem Link folgst.",
  },
  follows: {
    empty: "Noch nichts hier",
    emptyHint: "Folge Leuten und Hashtags. Dann stehen ihre Cruds hier, bis sie ablaufen.",
    suggested: "Vorschläge",
    followers: "Follower",
    following: "Gefolgt",
    tabs: (handle) => `Leute um @${handle}`,
    noFollowers: "Noch keine Follower",
    noFollowersHint: (handle) => `Wer @${handle} folgt, steht dann hier.`,
    noneFollowed: "Noch niemand",
    noneFollowedHint: (handle) => `Leute, denen @${handle} folgt, stehen dann hier.`,
    tags: "Hashtags, denen du folgst",
  },
  search: {
    title: "Suche",
    help: "Suche nach Wörtern, #Tags oder @Handles. Setz zusammengehörende Wörter in „Anführungszeichen“ und ein Minus vor ein Wort, das nicht vorkommen soll.",
    results: "Ergebnisse",
    people: "Leute",
    followTag: (tag) => `#${tag} folgen`,
    followingTag: (tag) => `Gefolgt: #${tag}`,
    empty: "Keine Cruds gefunden",
    noMatch: (term) => `Zu „${term}“ gibt es gerade keinen Crud.`,
  },
  notifications: {
    title: "Mitteilungen",
    all: "Alle",
    mentions: "Erwähnungen",
    empty: "Noch keine Mitteilungen",
    emptyHint: "Hier siehst du Antworten, Erwähnungen, Likes, Reposts und neue Follower.",
    noMentions: "Noch keine Erwähnungen",
    noMentionsHint: "Hier siehst du Antworten an dich und Cruds mit deinem Handle.",
    unread: "Ungelesen:",
    people: (name, second, more) => (
      <>
        {name}
        {second && (
          <>
            {more > 0 ? ", " : " und "}
            {second}
          </>
        )}
        {more > 0 && ` und ${others(more)}`}
      </>
    ),
    replied: (people, count) => (
      <>
        {people} {have(count)} dir geantwortet
      </>
    ),
    mentioned: (people, count) => (
      <>
        {people} {have(count)} dich erwähnt
      </>
    ),
    likedCrud: (people, count) => (
      <>
        {people} {like(count)} deinen Crud
      </>
    ),
    likedReply: (people, count) => (
      <>
        {people} {like(count)} deine Antwort
      </>
    ),
    repostedCrud: (people, count) => (
      <>
        {people} {have(count)} deinen Crud repostet
      </>
    ),
    repostedReply: (people, count) => (
      <>
        {people} {have(count)} deine Antwort repostet
      </>
    ),
    followed: (people, count) => (
      <>
        {people} {follow(count)} dir jetzt
      </>
    ),
    showLess: "Weniger anzeigen",
    showAll: (count) => `Alle ${count} Personen anzeigen`,
    peopleLabel: "Personen",
    andOthers: (count) => `und ${others(count)}`,
  },
  messages: {
    title: "Nachrichten",
    conversations: "Unterhaltungen",
    empty: "Noch keine Nachrichten",
    emptyHint: "Wähle „Neue Nachricht“, um jemandem zu schreiben. Nur ihr beide könnt sie lesen.",
    isYou: "Das bist du",
    notYourself: "Du kannst dir nicht selbst schreiben.",
    unknown: "Nicht gefunden",
    unknownHint: "Diesen Handle hat niemand. Vielleicht wurde das Konto gelöscht.",
    showOlder: "Ältere Nachrichten anzeigen",
    hello: "Sag Hallo",
    helloHint: "Nur ihr beide könnt diese Unterhaltung lesen.",
    sending: "Wird gesendet…",
    label: (handle) => `Nachricht an @${handle}`,
    placeholder: (handle) => `Nachricht an @${handle}`,
    send: "Senden",
    lifetime: (ttl) =>
      ttl === null
        ? "Neue Nachrichten bleiben"
        : `Neue Nachrichten verschwinden nach ${AFTER[ttl]}`,
    line: (name, ttl) =>
      `${name === null ? "Du hast" : `${name} hat`} eingestellt, dass neue Nachrichten ${
        ttl === null ? "bleiben" : `nach ${AFTER[ttl]} verschwinden`
      }.`,
    lifetimeTitle: "Lebensdauer von Nachrichten",
    lifetimeText: (handle) =>
      `Das gilt für neue Nachrichten von dir und von @${handle}. Ihr seht beide, wer es eingestellt hat. Ältere Nachrichten behalten ihre Lebensdauer.`,
    lifetimeLabel: "Neue Nachrichten verschwinden nach",
    noLifetime: "Nie",
    setLifetime: "Speichern",
  },
  report: {
    report: "Melden",
    more: {
      crud: "Diesen Crud melden…",
      profile: "Dieses Profil melden…",
      message: "Diese Nachricht melden…",
    },
    title: {
      crud: (handle) => `Diesen Crud von @${handle} melden`,
      profile: (handle) => `@${handle} melden`,
      message: (handle) => `Diese Nachricht von @${handle} melden`,
    },
    hint: "Die Moderation bekommt eine Kopie. Wer etwas meldet, bleibt ungenannt.",
    category: "Worum geht es?",
    choose: "Wähle einen Grund",
    categories: {
      harassment: "Belästigung oder Mobbing",
      hate: "Hass",
      violence: "Gewalt oder Drohungen",
      sexual: "Sexuelle Inhalte",
      self_harm: "Selbstverletzung",
      spam: "Werbung oder Betrug",
      illegal: "Etwas Verbotenes",
      other: "Etwas anderes",
    },
    words: "Einzelheiten",
    wordsHint: "Freiwillig. Was sollte die Moderation wissen?",
    late: "Wenn er in den letzten zehn Minuten gelöscht wurde, kannst du ihn noch melden.",
    send: "Meldung senden",
    sent: "Danke. Die Moderation sieht es sich an.",
    thisMessage: (message) => `Melden: ${message}`,
  },
  notices: {
    title: "Von der Moderation",
    why: "Melde dich an, um Entscheidungen der Moderation zu lesen",
    about: "Was die Moderation über dein Konto entschieden hat, und warum.",
    unread: (count) =>
      plural(count, {
        one: "Es gibt 1 neue Entscheidung.",
        other: `Es gibt ${count} neue Entscheidungen.`,
      }),
    show: "Entscheidungen ansehen",
    none: "Keine Entscheidungen",
    noneHint: "Was die Moderation über dein Konto entscheidet, liest du hier.",
    kinds: {
      warn: "Eine Verwarnung",
      remove_crud: "Dein Crud wurde entfernt",
      limit: "Dein Konto wurde eingeschränkt",
      suspend: "Dein Konto wurde gesperrt",
      ban: "Dein Konto wurde für immer gesperrt",
      lift: "Deine Einschränkungen wurden aufgehoben",
    },
    until: (time) => `Gesperrt bis ${time}`,
    over: "Gilt nicht mehr",
    limitedUntil: (time) =>
      `Eingeschränkt bis ${time}: In Feeds und in der Suche sehen nur deine Follower deine Cruds`,
    appeal: "Einspruch",
    words: "Warum ist die Entscheidung falsch?",
    once: "Du kannst einmal Einspruch einlegen.",
    send: "Einspruch senden",
    appeals: {
      waiting: "Dein Einspruch wartet auf die Moderation.",
      upheld: "Die Entscheidung bleibt.",
      overturned: "Die Entscheidung wurde aufgehoben.",
    },
  },
  announcements: {
    label: "Ankündigung:",
    dismiss: "Ankündigung ausblenden",
    terms: (terms) => (
      <>Unsere {terms("Nutzungsbedingungen und Regeln")} haben sich geändert. Stimmst du zu?</>
    ),
    accept: "Zustimmen",
  },
  instance: {
    title: "Instanz",
    why: "Melde dich an, um die Instanz zu verwalten",
    notYou: "Diese Seite ist für Admins",
    notYouHint: "Admins werden auf der Kommandozeile ernannt.",
    announcements: "Ankündigungen",
    announce: "Ankündigen",
    announceHint: "Alle sehen sie, bis sie abläuft.",
    message: "Ankündigung",
    expires: "Läuft ab in",
    until: (time) => `bis ${time}`,
    delete: "Löschen",
    settings: "Einstellungen",
    saved: "Die Einstellungen sind gespeichert.",
    save: "Speichern",
    name: "Name",
    description: "Beschreibung",
    descriptionHint:
      "Auf der Seite „Info“. Schreib dazu, wer die Instanz betreibt und wie man euch erreicht.",
    rules: "Regeln",
    rulesHint: "Auf den Seiten „Info“ und „Nutzungsbedingungen“.",
    newTerms: (version) =>
      `Alle Mitglieder um Zustimmung zu Bedingungen und Regeln bitten (Version ${version + 1})`,
    signUp: "Wer sich registrieren kann",
    modes: {
      open: "Alle",
      invitation: "Eingeladene",
      closed: "Niemand",
    },
    blockedDomains: "Gesperrte E-Mail-Domains",
    blockedDomainsHint: "Eine pro Zeile. Domains darunter sind auch gesperrt.",
    defaultTtl: "Übliche Lebensdauer von Cruds",
    maxTtl: "Längste Lebensdauer von Cruds",
    evidenceDays: "Beweise aufbewahren (Tage)",
    evidenceDaysHint: "Solange ein Fall offen ist, bleiben Meldungen und Beweise länger.",
    invitations: "Einladungen",
    invitationsHint:
      "Mit einer Einladung kann man ein Konto eröffnen, solange sich nur Eingeladene registrieren können.",
    invite: "Einladung erstellen",
    maxUses: "Anzahl der Konten",
    days: "Gültigkeit (Tage)",
    link: "Einladungslink",
    used: (uses, max) => `${uses} von ${max} genutzt`,
    revoke: "Widerrufen",
  },
  moderation: {
    title: "Moderation",
    why: "Melde dich an, um zu moderieren",
    notYou: "Diese Seite ist für die Moderation",
    notYouHint: "Frag die Administration, wenn du dazugehören solltest.",
    needsSecondFactor: "Schütze zuerst dein Konto",
    needsSecondFactorHint:
      "Wer hier moderiert, braucht zwei Faktoren oder einen Passkey. Richte das in den Einstellungen ein, und komm dann zurück.",
    toSettings: "Zu den Einstellungen",
    audit: "Audit-Protokoll",
    auditHint:
      "Wer was wann und warum getan hat. Im Protokoll stehen jeder Blick auf Beweise, jede Entscheidung und jede Änderung der Instanz.",
    auditLines: "Als JSON Lines laden",
    auditTable: "Als CSV laden",
    empty: "Keine Meldungen",
    emptyHint: "Was Mitglieder melden, erscheint hier.",
    subject: {
      crud: (handle) => `Crud von ${handle ?? "einem gelöschten Konto"}`,
      profile: (handle) => `Profil von ${handle ?? "einem gelöschten Konto"}`,
      message: (handle) => `Nachricht von ${handle ?? "einem gelöschten Konto"}`,
    },
    open: "Offen",
    appealed: "Einspruch",
    closed: "Erledigt",
    evidence: "Beweis",
    earlier: "Frühere Kopien zeigen",
    noEvidence: "Die Kopie wurde nach Ablauf der Frist gelöscht.",
    unreadable: "Wir können diesen Text nicht mehr lesen, weil sein Schlüssel entfernt wurde.",
    noPicture: "Ein Bild fehlt.",
    context: "Was gemeldet wurde und was darum herum steht",
    reported: "Gemeldet",
    written: (time) => `Geschrieben ${time}.`,
    wasDeleted: "Wurde vom Mitglied selbst gelöscht.",
    taken: (time, end) => `Kopiert ${time}, aufbewahrt bis ${end}.`,
    reports: "Meldungen",
    cannotAct: "Über diesen Fall kannst du nicht entscheiden.",
    history: "Verlauf des Kontos",
    banned: "Für immer gesperrt",
    joined: (time, cases) =>
      `Dabei seit ${time} · ${plural(cases, { one: "1 Fall", other: `${cases} Fälle` })}`,
    kinds: {
      dismiss: "Verwerfen",
      warn: "Verwarnen",
      remove_crud: "Crud entfernen",
      limit: "Einschränken",
      suspend: "Sperren",
      ban: "Für immer sperren",
      lift: "Einschränkungen aufheben",
    },
    made: {
      dismiss: "Verworfen",
      warn: "Verwarnt",
      remove_crud: "Crud entfernt",
      limit: "Eingeschränkt",
      suspend: "Gesperrt",
      ban: "Für immer gesperrt",
      lift: "Einschränkungen aufgehoben",
    },
    appeal: "Einspruch:",
    decideAppeal: "Über den Einspruch entscheiden",
    decision: "Entscheidung",
    uphold: "Die Entscheidung bleibt",
    overturn: "Entscheidung aufheben",
    decide: "Entscheiden",
    days: "Tage",
    limitHint:
      "Wer dem Konto nicht folgt, sieht seine Cruds nicht in „Alle“, Suche und Vorschlägen.",
    limitedUntil: (time) => `Eingeschränkt bis ${time}`,
    reason: "Grund",
    reasonHint: "Das Mitglied sieht ihn. Zitiere nicht, was gemeldet wurde.",
    dismissHint: "Nur die Moderation sieht ihn. Zitiere nicht, was gemeldet wurde.",
    decided: "Entscheidung gespeichert",
  },
};

function follow(people: number): string {
  return people === 1 ? "folgt" : "folgen";
}

function have(people: number): string {
  return plural(people, { one: "hat", other: "haben" });
}

function like(people: number): string {
  return plural(people, { one: "mag", other: "mögen" });
}
