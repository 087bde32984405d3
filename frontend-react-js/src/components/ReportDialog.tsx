import type { ReportDraft } from "../api/wire";
import { t } from "../language/further";
import { notify } from "../notices";
import { useReport } from "../queries/reports";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { AreaField, SelectField } from "./Field";
import { Form, problemOf } from "./Form";

const CATEGORIES = [
  "harassment",
  "hate",
  "violence",
  "sexual",
  "self_harm",
  "spam",
  "illegal",
  "other",
] as const satisfies readonly ReportDraft["category"][];

/** Report a crud, a profile or a message, with a category and words. */
export function ReportDialog({
  kind,
  uuid,
  handle,
  onClose,
}: {
  kind: ReportDraft["kind"];
  uuid: string;
  /** The author. */
  handle: string;
  onClose: () => void;
}) {
  const report = useReport();
  return (
    <Dialog title={t.report.title[kind](handle)} onClose={onClose}>
      <p>{t.report.hint}</p>
      <Form
        label={t.report.send}
        fields={["category", "words"]}
        error={report.error}
        onSend={(value) =>
          void report
            .mutateAsync({
              kind,
              uuid,
              category: value("category") as ReportDraft["category"],
              words: value("words"),
            })
            .then(
              () => {
                notify(t.report.sent);
                onClose();
              },
              () => undefined, // shown by the form
            )
        }
      >
        <SelectField
          label={t.report.category}
          name="category"
          options={[
            ["", t.report.choose],
            ...CATEGORIES.map((one) => [one, t.report.categories[one]] as const),
          ]}
          problem={problemOf(report.error, "category")}
        />
        <AreaField
          label={t.report.words}
          name="words"
          maxLength={1000}
          hint={t.report.wordsHint}
          problem={problemOf(report.error, "words")}
        />
        <div className="dialog-actions">
          <Button look="outlined" onClick={onClose}>
            {t.crud.cancel}
          </Button>
          <Button type="submit" busy={report.isPending}>
            {t.report.send}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
