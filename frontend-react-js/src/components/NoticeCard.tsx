import type { Notice } from "../api/wire";
import { t } from "../language/further";
import { shortTime } from "../text/time";
import { Button } from "./Button";
import { AreaField } from "./Field";
import { Form, problemOf } from "./Form";
import "./NoticeCard.css";

/** A decision of a moderator with its reason, as the account sees it, and the form to appeal. */
export function NoticeCard({
  notice,
  isOver = false,
  error,
  busy,
  onAppeal,
}: {
  notice: Notice;
  /** Whether a limit or suspension has ended, by its time or by another decision. */
  isOver?: boolean;
  error: unknown;
  busy: boolean;
  onAppeal: (words: string) => void;
}) {
  return (
    <article className="notice-card" aria-label={t.notices.kinds[notice.kind]}>
      <p>
        <b>{t.notices.kinds[notice.kind]}</b>
        <time className="field-hint" dateTime={notice.created_at}>
          {shortTime(notice.created_at)}
        </time>
      </p>
      <p dir="auto">{notice.reason}</p>
      {isOver && <p className="field-hint">{t.notices.over}</p>}
      {notice.ends_at && !isOver && (
        <p className="field-hint">
          {notice.kind === "limit"
            ? t.notices.limitedUntil(shortTime(notice.ends_at))
            : t.notices.until(shortTime(notice.ends_at))}
        </p>
      )}
      {notice.appeal === "possible" ? (
        <details>
          <summary>{t.notices.appeal}</summary>
          <Form
            label={t.notices.appeal}
            fields={["words"]}
            error={error}
            onSend={(value) => onAppeal(value("words"))}
          >
            <AreaField
              label={t.notices.words}
              name="words"
              maxLength={1000}
              hint={t.notices.once}
              problem={problemOf(error, "words")}
            />
            <Button type="submit" busy={busy}>
              {t.notices.send}
            </Button>
          </Form>
        </details>
      ) : (
        notice.appeal !== "impossible" && (
          <p className="field-hint">
            {t.notices.appeals[notice.appeal]}
            {notice.decision_reason !== null && (
              <>
                {" "}
                <bdi>{notice.decision_reason}</bdi>
              </>
            )}
          </p>
        )
      )}
    </article>
  );
}
