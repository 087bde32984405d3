import { NoticeCard } from "../../components/NoticeCard";
import { ProblemNote } from "../../components/Problem";
import { t } from "../../language/further";
import { useAppeal, useNotices } from "../../queries/notices";
import { Section } from "./Section";

/** What moderators decided about the member; nothing if there is no decision. */
export function NoticesSection() {
  const notices = useNotices();
  const appeal = useAppeal();
  if (notices.isError) {
    return (
      <Section title={t.notices.title}>
        <ProblemNote error={notices.error} retry={() => void notices.refetch()} />
      </Section>
    );
  }
  if (!notices.data?.length) {
    return null;
  }
  return (
    <Section title={t.notices.title}>
      {notices.data.map((notice) => (
        <NoticeCard
          key={notice.uuid}
          notice={notice}
          error={appeal.variables?.uuid === notice.uuid ? appeal.error : null}
          busy={appeal.isPending}
          onAppeal={(words) => appeal.mutate({ uuid: notice.uuid, words })}
        />
      ))}
    </Section>
  );
}
