/** A sentence for each error code, in German. */

import type { First } from "../en/first";

export const errors: First["errors"] = {
  cursor_invalid: "Wir können diese Liste nicht weiterladen. Lade die Seite neu.",
  generic_401: "Du bist abgemeldet. Melde dich an, um weiterzumachen.",
  generic_403: "Das darfst du nicht. Falls du gerade ein Bild hochlädst, wähle es noch einmal aus.",
  generic_500: "Bei uns ist etwas schiefgegangen. Bitte versuch es gleich noch einmal.",
  idempotency_key_invalid:
    "Wir konnten das nicht senden. Lade die Seite neu und versuch es noch einmal.",
  idempotency_key_reused:
    "Du hast schon eine andere Fassung davon gesendet. Ändere den Text und sende ihn noch einmal.",
  invalid_json: "Unterwegs ist etwas verloren gegangen. Bitte versuch es noch einmal.",
  limit_invalid: "Das sind zu viele Einträge auf einmal.",
  message_blank: "Schreib zuerst etwas.",
  message_exceed_max_chars: "Ein Crud darf höchstens 280 Zeichen haben.",
  message_exceed_max_chars_1024: "Das ist zu lang. Erlaubt sind höchstens 1.024 Zeichen.",
  message_invalid: "Der Text enthält ein Zeichen, das wir nicht speichern können.",
  method_not_allowed: "Das geht hier nicht.",
  not_found: "Das ist abgelaufen oder hat nie existiert.",
  payload_too_large: "Das ist zu groß. Ein Bild darf höchstens 8 MB haben.",
  pictures_invalid: "Eines deiner Bilder gibt es nicht mehr. Entferne es und füge es neu hinzu.",
  rate_limited: "Zu viele Versuche.",
  ttl_blank: "Wähle, wie lange dein Crud leben soll.",
  unavailable: "Cruddur ist gerade nicht erreichbar. Bitte versuch es gleich noch einmal.",
  unsupported_media_type: "Diese Art von Datei können wir nicht annehmen.",
  timed_out: "Cruddur hat zu lange nicht geantwortet. Versuch es noch einmal.",
  unreachable: "Wir können Cruddur nicht erreichen. Bist du online?",
};
