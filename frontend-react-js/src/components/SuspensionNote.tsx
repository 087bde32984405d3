import { useEffect } from "react";
import { type Credentials, useSuspension, useSuspensionAppeal } from "../queries/notices";
import { NoticeCard } from "./NoticeCard";
import { ProblemNote } from "./Problem";

/** Why an account that tried to sign in is suspended, and the form to appeal. */
export function SuspensionNote({ credentials }: { credentials: Credentials }) {
  const { mutate: load, ...suspension } = useSuspension();
  const appeal = useSuspensionAppeal();
  useEffect(() => load(credentials), [load, credentials]);
  if (suspension.isError) {
    return <ProblemNote error={suspension.error} retry={() => load(credentials)} />;
  }
  return suspension.data === undefined ? null : (
    <NoticeCard
      notice={suspension.data}
      error={appeal.error}
      busy={appeal.isPending}
      onAppeal={(words) =>
        appeal.mutate({ ...credentials, words }, { onSuccess: () => load(credentials) })
      }
    />
  );
}
