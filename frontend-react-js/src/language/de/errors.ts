/** A sentence for each error code, in German. */

import type { First } from "../en/first";

export const errors: First["errors"] = {
  avatar_invalid:
    "Wir konnten das Bild nicht lesen. Versuch es mit einer Datei im Format JPEG, PNG, GIF oder WebP.",
  bio_exceed_max_chars: "Deine Bio darf höchstens 500 Zeichen haben.",
  bio_invalid: "Deine Bio enthält ein Zeichen, das wir nicht speichern können.",
  code_invalid: "Der Code ist falsch oder abgelaufen. Prüf ihn, oder fordere einen neuen an.",
  credentials_invalid: "Das Passwort passt nicht zu diesem Konto.",
  crud_invalid: "Das ist kein Link zu einem Crud.",
  current_password_blank: "Gib dein aktuelles Passwort ein.",
  cursor_invalid: "Wir können diese Liste nicht weiterladen. Lade die Seite neu.",
  display_name_blank: "Gib deinen Namen ein.",
  display_name_exceed_max_chars: "Dein Name darf höchstens 50 Zeichen haben.",
  display_name_invalid: "Dein Name darf nicht leer sein.",
  email_blank: "Gib deine E-Mail-Adresse oder deinen Handle ein.",
  email_invalid: "Das sieht nicht nach einer E-Mail-Adresse aus.",
  email_unconfirmed:
    "Deine E-Mail-Adresse ist noch nicht bestätigt. Gib deinen Code ein, um sie zu bestätigen.",
  extension_invalid: "Wähle ein Bild im Format JPEG, PNG, GIF oder WebP.",
  feed_invalid: "Diesen Feed gibt es nicht.",
  filter_invalid: "Du kannst immer nur einer Sache auf einmal folgen.",
  generic_401: "Du bist abgemeldet. Melde dich an, um weiterzumachen.",
  generic_403: "Das darfst du nicht. Falls du gerade ein Bild hochlädst, wähle es noch einmal aus.",
  generic_500: "Bei uns ist etwas schiefgegangen. Bitte versuch es gleich noch einmal.",
  handle_invalid: "Ein Handle hat 2 bis 30 Buchstaben (a bis z), Ziffern und Unterstriche.",
  handle_taken: "Dieser Handle ist schon vergeben. Versuch einen anderen.",
  idempotency_key_invalid:
    "Wir konnten das nicht senden. Lade die Seite neu und versuch es noch einmal.",
  idempotency_key_reused:
    "Du hast schon eine andere Fassung davon gesendet. Ändere den Text und sende ihn noch einmal.",
  invalid_json: "Unterwegs ist etwas verloren gegangen. Bitte versuch es noch einmal.",
  last_event_id_invalid: "Wir können dich nicht live auf dem Laufenden halten. Lade die Seite neu.",
  limit_invalid: "Das sind zu viele Einträge auf einmal.",
  message_blank: "Schreib zuerst etwas.",
  message_exceed_max_chars: "Ein Crud darf höchstens 280 Zeichen haben.",
  message_exceed_max_chars_1024: "Das ist zu lang. Erlaubt sind höchstens 1.024 Zeichen.",
  message_group_uuid_blank: "Diese Unterhaltung gibt es nicht mehr.",
  message_invalid: "Der Text enthält ein Zeichen, das wir nicht speichern können.",
  message_to_self: "Du kannst dir nicht selbst schreiben.",
  method_not_allowed: "Das geht hier nicht.",
  not_found: "Das ist abgelaufen oder hat nie existiert.",
  password_blank: "Gib dein Passwort ein.",
  password_exceed_max_chars: "Ein Passwort darf höchstens 256 Zeichen haben.",
  password_invalid: "Das Passwort enthält ein Zeichen, das wir nicht annehmen können.",
  password_too_weak:
    "Das Passwort ist zu leicht zu erraten. Nimm mindestens 10 Zeichen, und vermeide gängige Passwörter und deinen Namen.",
  payload_too_large: "Das ist zu groß. Ein Bild darf höchstens 8 MB haben.",
  picture_invalid:
    "Wir konnten dieses Bild nicht lesen. Versuch es mit einer JPEG-, PNG-, GIF- oder WebP-Datei.",
  pictures_invalid: "Eines deiner Bilder gibt es nicht mehr. Entferne es und füge es neu hinzu.",
  rate_limited: "Zu viele Versuche.",
  search_term_blank: "Gib einen Suchbegriff ein.",
  search_term_exceed_max_chars: "Die Suche ist zu lang. Erlaubt sind höchstens 200 Zeichen.",
  search_term_invalid: "Gib ein Wort ein, nach dem wir suchen sollen.",
  shape_invalid: "Dieses Profil gibt es nicht in dieser Form.",
  square_invalid: "Wir konnten das Bild nicht zuschneiden. Wähle es noch einmal aus.",
  telemetry_invalid: "Wir können diese Telemetriedaten nicht annehmen.",
  ticket_invalid: "Dieser Link gilt nicht mehr. Lade die Seite neu.",
  too_many_pictures:
    "Du hast zu viele Bilder. Lösch einen Crud mit Bildern, oder warte, bis einer abläuft.",
  ttl_blank: "Wähle, wie lange dein Crud leben soll.",
  unavailable: "Cruddur ist gerade nicht erreichbar. Bitte versuch es gleich noch einmal.",
  unsupported_media_type: "Diese Art von Datei können wir nicht annehmen.",
  user_receiver_handle_invalid: "Wähle aus, wem du schreiben möchtest.",
  user_reciever_handle_blank: "Wähle aus, wem du schreiben möchtest.",

  timed_out: "Cruddur hat zu lange nicht geantwortet. Versuch es noch einmal.",
  unreachable: "Wir können Cruddur nicht erreichen. Bist du online?",
};
