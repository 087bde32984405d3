import type { ReactNode } from "react";
import { useRestore } from "../queries/accounts";
import { useSession } from "../queries/session";
import { ButtonLink } from "./Button";
import { Empty, Skeleton } from "./List";
import type { PendingAction } from "./memberAction";
import { ProblemNote } from "./Problem";
import { useHere } from "./routeState";

/** Content for members. A visitor sees "Sign in …" with the reason `why`, and a link. */
export function MembersOnly({ why, children }: { why: string; children: ReactNode }) {
  const { phase } = useSession();
  const restoring = useRestore(phase === "restoring");
  const here = useHere();
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
    <Empty title="Members only">
      <p>Sign in {why}.</p>
      <ButtonLink to="/signin" state={state}>
        Sign in
      </ButtonLink>
      <ButtonLink to="/signup" look="plain" state={state}>
        Join now
      </ButtonLink>
    </Empty>
  );
}
