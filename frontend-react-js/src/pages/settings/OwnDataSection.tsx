import type { Member } from "../../api/wire";
import { Button } from "../../components/Button";
import { t } from "../../language/further";
import { useDownload } from "../../queries/downloads";
import { Section } from "./Section";

/** Download what is stored about the member. */
export function OwnDataSection({ member }: { member: Member }) {
  const archive = useDownload("archive");
  const audit = useDownload("audit");
  return (
    <Section title={t.ownData.title}>
      <p>{t.ownData.text}</p>
      <div className="account-row">
        <Button
          look="outlined"
          busy={archive.isPending}
          onClick={() => archive.mutate(`cruddur-${member.handle}-archive`)}
        >
          {t.ownData.archive}
        </Button>
        <Button
          look="outlined"
          busy={audit.isPending}
          onClick={() => audit.mutate(`cruddur-${member.handle}-audit`)}
        >
          {t.ownData.audit}
        </Button>
      </div>
    </Section>
  );
}
