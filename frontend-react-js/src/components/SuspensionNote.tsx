import { t } from "../language/further";
import { useSignOut } from "../queries/accounts";
import { useDownload } from "../queries/downloads";
import { useAppeal, useSuspension } from "../queries/notices";
import { hasCode } from "../text/errors";
import { Button } from "./Button";
import { DeleteAccount } from "./DeleteAccount";
import { NoticeCard } from "./NoticeCard";
import { ProblemNote } from "./Problem";

/**
 * Why an account that tried to sign in is suspended, the form to appeal, and what its member can still
 * do with their data.
 */
export function SuspensionNote({
  attempt,
  onSignedOut,
}: {
  /** Identifies the sign-in that was rejected. */
  attempt: number;
  onSignedOut: () => void;
}) {
  const suspension = useSuspension(attempt);
  const appeal = useAppeal();
  const archive = useDownload("archive");
  const signOut = useSignOut();
  if (suspension.data === undefined) {
    // Without a cookie, there is no account: one with the same address was deleted.
    return suspension.isError && !hasCode(suspension.error, "generic_401") ? (
      <ProblemNote error={suspension.error} retry={() => void suspension.refetch()} />
    ) : null;
  }
  const { uuid } = suspension.data;
  return (
    <>
      <NoticeCard
        notice={suspension.data}
        error={appeal.error}
        busy={appeal.isPending}
        onAppeal={(words) => appeal.mutate({ uuid, words })}
      />
      <section className="account-part" aria-label={t.ownData.title}>
        <h2>{t.ownData.title}</h2>
        <p>{t.ownData.suspended}</p>
        <div className="account-row">
          <Button
            look="outlined"
            busy={archive.isPending}
            onClick={() => archive.mutate("cruddur-archive")}
          >
            {t.ownData.archive}
          </Button>
          <DeleteAccount />
          <Button
            look="plain"
            busy={signOut.isPending}
            onClick={() => signOut.mutate(undefined, { onSuccess: onSignedOut })}
          >
            {t.settings.signOut}
          </Button>
        </div>
      </section>
    </>
  );
}
