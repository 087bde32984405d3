import type { ReactNode } from "react";
import { t } from "../language";
import { useRestore } from "../queries/accounts";
import { useCanJoin } from "../queries/instance";
import { useSession } from "../queries/session";
import { ButtonLink } from "./Button";
import { Empty, Skeleton } from "./List";
import type { PendingAction } from "./memberAction";
import { ProblemNote } from "./Problem";
import { useHere } from "./routeState";

/** Content for members. A visitor sees `why`, which says what to sign in for, and a link. */
export function MembersOnly({ why, children }: { why: string; children: ReactNode }) {
  const { phase } = useSession();
  const restoring = useRestore(phase === "restoring");
  const here = useHere();
  const canJoin = useCanJoin();
  if (phase === "restoring") {
    return restoring.isError ? (
      <div className="list-note">
        <ProblemNote error={restoring.error} retry={() => void restoring.refetch()} />
      </div>
    ) : (
      <Skeleton />
    );
  }
  if (phase === "in") {
    return children;
  }
  const state: PendingAction = { from: here, why };
  return (
    <Empty title={t.account.membersOnly}>
      <p>{why}.</p>
      <ButtonLink to="/signin" state={state}>
        {t.account.signIn}
      </ButtonLink>
      {canJoin && (
        <ButtonLink to="/signup" look="plain" state={state}>
          {t.account.join}
        </ButtonLink>
      )}
    </Empty>
  );
}
