import type { ReactNode } from "react";
import { useLocation } from "react-router";
import { useRestore } from "../queries/accounts";
import { useSession } from "../queries/session";
import type { Errand } from "./acting";
import { ButtonLink } from "./Button";
import { Empty, Skeleton } from "./List";
import { ProblemNote } from "./Problem";

/** What only members see; a visitor is told `why` one signs in, and led there. */
export function Members({ why, children }: { why: string; children: ReactNode }) {
  const { phase } = useSession();
  const restoring = useRestore(phase === "restoring");
  const { pathname, search } = useLocation();
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
  const errand: Errand = { from: pathname + search, why };
  return (
    <Empty title="Members only">
      <p>Sign in {why}.</p>
      <ButtonLink to="/signin" state={errand}>
        Sign in
      </ButtonLink>
      <ButtonLink to="/signup" look="plain">
        Join now
      </ButtonLink>
    </Empty>
  );
}
