import { t } from "../language/further";
import { useCodesInTerminal } from "../queries/signUp";

/** A sentence that says where a code arrives: `mailed`, or `printed` if there is no mail server. */
export function CodeHint({ mailed, printed }: { mailed: string; printed: string }) {
  const isInTerminal = useCodesInTerminal();
  return (
    <p>
      {isInTerminal !== undefined && (isInTerminal ? printed : mailed)} {t.accountPage.codeLasts}
    </p>
  );
}
