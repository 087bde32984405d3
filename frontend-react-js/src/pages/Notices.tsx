import type { Notice } from "../api/wire";
import { serverNow } from "../clock";
import { Empty, Skeleton } from "../components/List";
import { MembersOnly } from "../components/MembersOnly";
import { NoticeCard } from "../components/NoticeCard";
import { PageHead } from "../components/PageHead";
import { ProblemNote } from "../components/Problem";
import { t } from "../language/further";
import { useAppeal, useNotices } from "../queries/notices";

/** What moderators decided about the member. */
export function Notices() {
  return (
    <>
      <PageHead title={t.notices.title} back="/settings" />
      <MembersOnly why={t.notices.why}>
        <List />
      </MembersOnly>
    </>
  );
}

function List() {
  const notices = useNotices();
  const appeal = useAppeal();
  if (notices.data === undefined) {
    return notices.isError ? (
      <div className="list-note">
        <ProblemNote error={notices.error} retry={() => void notices.refetch()} />
      </div>
    ) : (
      <Skeleton />
    );
  }
  if (notices.data.length === 0) {
    return (
      <Empty title={t.notices.none}>
        <p>{t.notices.noneHint}</p>
      </Empty>
    );
  }
  return (
    <div className="notice-cards">
      {notices.data.map((notice) => (
        <NoticeCard
          key={notice.uuid}
          notice={notice}
          isOver={isOver(notice, notices.data)}
          error={appeal.variables?.uuid === notice.uuid ? appeal.error : null}
          busy={appeal.isPending}
          onAppeal={(words) => appeal.mutate({ uuid: notice.uuid, words })}
        />
      ))}
    </div>
  );
}

/** Whether a limit, suspension or ban has ended: it was overturned or lifted, or its time is up. */
function isOver(notice: Notice, all: readonly Notice[]): boolean {
  const isLifted = all.some(
    ({ kind, created_at }) =>
      kind === "lift" && Date.parse(created_at) > Date.parse(notice.created_at),
  );
  return (
    /limit|suspend|ban/.test(notice.kind) &&
    (isLifted ||
      notice.appeal === "overturned" ||
      (notice.ends_at !== null && Date.parse(notice.ends_at) <= serverNow()))
  );
}
