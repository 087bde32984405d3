import { ButtonLink } from "../../components/Button";
import { t } from "../../language/further";
import { Section } from "./Section";

/** Where the member reads what moderators decided. */
export function NoticesLink({ unread }: { unread: number }) {
  return (
    <Section title={t.notices.title}>
      <p>{unread > 0 ? t.notices.unread(unread) : t.notices.about}</p>
      <div className="account-row">
        <ButtonLink to="/notices" look="outlined">
          {t.notices.show}
        </ButtonLink>
      </div>
    </Section>
  );
}
