import { t } from "../language/further";
import { useMember } from "../queries/session";
import { Button } from "./Button";
import { openMenu } from "./openMenu";

/** Offer to report a crud that is gone: the service keeps a deleted one for ten minutes. */
export function LateReport({ uuid, handle }: { uuid: string; handle: string }) {
  const member = useMember();
  return (
    member !== null &&
    member.handle !== handle.toLowerCase() && (
      <>
        <p>{t.report.late}</p>
        <Button
          look="outlined"
          onClick={() =>
            openMenu({ person: { handle }, subject: { kind: "crud", uuid }, choice: "report" })
          }
        >
          {t.report.more.crud}
        </Button>
      </>
    )
  );
}
