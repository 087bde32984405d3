import { t } from "../language/further";
import { useCanUsePasskeys } from "../queries/passkeys";
import { hasCode } from "../text/errors";
import { Button } from "./Button";
import { CodeField } from "./CodeField";

/** What an account has as its second factor: an app with codes, passkeys, or both. */
export type Factor = "code" | "passkey" | "either";

/** The second factor that an error asks for, if it does. */
export function factorOf(error: unknown): Factor | undefined {
  const hasApp = hasCode(error, "code_required");
  if (hasCode(error, "passkey_required")) {
    return hasApp ? "either" : "passkey";
  }
  return hasApp ? "code" : undefined;
}

/** The parts of a form that ask for a second factor, after the password was right. */
export function SecondFactorFields({
  factor,
  error,
  isAnswering,
  onPasskey,
}: {
  factor: Factor;
  error: unknown;
  isAnswering: boolean;
  onPasskey: () => void;
}) {
  const canUsePasskeys = useCanUsePasskeys();
  return (
    <>
      <CodeField
        key={factor}
        {...(factor === "passkey" ? { label: t.signIn.recoveryCode } : { hint: t.signIn.codeHint })}
        error={error}
      />
      {factor !== "code" && canUsePasskeys && (
        <Button look="outlined" busy={isAnswering} onClick={onPasskey}>
          {t.signIn.usePasskey}
        </Button>
      )}
    </>
  );
}
