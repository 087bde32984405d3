import { Button } from "../../components/Button";
import { t } from "../../language/further";
import { Secret } from "./Secret";

/** New recovery codes, in the dialog that has turned a second factor on. */
export function RecoveryCodes({
  codes,
  onClose,
}: {
  codes: readonly string[];
  onClose: () => void;
}) {
  return (
    <>
      <p>{t.secondFactor.recoveryHint}</p>
      <Secret label={t.secondFactor.recoveryCodes} text={codes.join("\n")} hasFocus />
      <div className="dialog-actions">
        <Button onClick={onClose}>{t.apiTokens.done}</Button>
      </div>
    </>
  );
}
