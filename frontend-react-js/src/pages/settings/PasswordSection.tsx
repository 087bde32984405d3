import type { Member } from "../../api/wire";
import { Button } from "../../components/Button";
import { Field } from "../../components/Field";
import { Form, problemOf } from "../../components/Form";
import { notify } from "../../notices";
import { useChangePassword } from "../../queries/accounts";
import { Section } from "./Section";

/** Change the password. */
export function PasswordSection({ member }: { member: Member }) {
  const change = useChangePassword();
  return (
    <Section title="Password">
      <Form
        label="Password"
        fields={["current_password", "password"]}
        error={change.error}
        onSend={(value, form) =>
          change.mutate(
            { current_password: value("current_password"), password: value("password") },
            {
              onSuccess: () => {
                form.reset();
                notify("Password changed. Your other devices are signed out.");
              },
            },
          )
        }
      >
        {/* Password managers store the password under this name. */}
        <input hidden readOnly autoComplete="username" value={member.handle} />
        <Field
          label="Current password"
          name="current_password"
          type="password"
          autoComplete="current-password"
          problem={problemOf(change.error, "current_password")}
        />
        <Field
          label="New password"
          name="password"
          type="password"
          autoComplete="new-password"
          hint="At least 10 characters, and hard to guess. Your other devices will be signed out."
          problem={problemOf(change.error, "password")}
        />
        <Button type="submit" busy={change.isPending}>
          Change password
        </Button>
      </Form>
    </Section>
  );
}
