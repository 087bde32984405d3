import { Button } from "../../components/Button";
import { t } from "../../language/further";
import { KeepNote, Secret } from "./Secret";

/** New recovery codes, in the dialog that has turned a second factor on. */
export function RecoveryCodes({
  codes,
  isAsked,
  onClose,
}: {
  codes: readonly string[];
  /** Whether the member has tried to close the dialog without its button. */
  isAsked: boolean;
  onClose: () => void;
}) {
  return (
    <>
      <p>{t.secondFactor.recoveryHint}</p>
      <Secret label={t.secondFactor.recoveryCodes} text={codes.join("\n")} hasFocus />
      <KeepNote isAsked={isAsked} />
      <div className="dialog-actions">
        <Button onClick={onClose}>{t.apiTokens.done}</Button>
      </div>
    </>
  );
}
