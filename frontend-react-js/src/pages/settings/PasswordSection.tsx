import type { Member } from "../../api/wire";
import { Button } from "../../components/Button";
import { Field } from "../../components/Field";
import { Form, problemOf } from "../../components/Form";
import { t } from "../../language/further";
import { notify } from "../../notices";
import { useChangePassword } from "../../queries/accounts";
import { Section } from "./Section";

/** Change the password. */
export function PasswordSection({ member }: { member: Member }) {
  const change = useChangePassword();
  return (
    <Section title={t.settings.password}>
      <Form
        label={t.settings.password}
        fields={["current_password", "password"]}
        error={change.error}
        onSend={(value, form) =>
          change.mutate(
            { current_password: value("current_password"), password: value("password") },
            {
              onSuccess: () => {
                form.reset();
                notify(t.settings.passwordChanged);
              },
            },
          )
        }
      >
        {/* Password managers store the password under this name. */}
        <input hidden readOnly autoComplete="username" value={member.handle} />
        <Field
          label={t.settings.currentPassword}
          name="current_password"
          type="password"
          autoComplete="current-password"
          problem={problemOf(change.error, "current_password")}
        />
        <Field
          label={t.accountPage.newPassword}
          name="password"
          type="password"
          autoComplete="new-password"
          hint={t.settings.newPasswordHint}
          problem={problemOf(change.error, "password")}
        />
        <Button type="submit" busy={change.isPending}>
          {t.settings.changePassword}
        </Button>
      </Form>
    </Section>
  );
}
