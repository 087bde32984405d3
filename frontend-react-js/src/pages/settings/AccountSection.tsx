import { DeleteAccount } from "../../components/DeleteAccount";
import { t } from "../../language/further";
import { Section } from "./Section";

/** Delete the account. */
export function AccountSection() {
  return (
    <Section title={t.settings.account}>
      <div className="account-row">
        <DeleteAccount />
      </div>
    </Section>
  );
}
