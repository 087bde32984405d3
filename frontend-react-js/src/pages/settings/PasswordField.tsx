import type { Member } from "../../api/wire";
import { Field } from "../../components/Field";
import { problemOf } from "../../components/Form";
import { t } from "../../language/further";

/** The field for the member's password, as a proof. */
export function PasswordField({ member, error }: { member: Member; error: unknown }) {
  return (
    <>
      {/* Password managers find the password by this name. */}
      <input hidden readOnly autoComplete="username" value={member.handle} />
      <Field
        label={t.settings.yourPassword}
        name="password"
        type="password"
        autoComplete="current-password"
        problem={problemOf(error, "password")}
      />
    </>
  );
}
