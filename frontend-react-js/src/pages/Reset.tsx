import { Link, useNavigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button } from "../components/Button";
import { Field } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { usePassed } from "../components/passed";
import { notify } from "../notices";
import { useReset } from "../queries/accounts";

/** Set a new password with the code; whoever was signed in is signed out. */
export function Reset() {
  const navigate = useNavigate();
  const passed = usePassed();
  const reset = useReset();
  return (
    <AccountPage
      title="Choose a new password"
      foot={
        <>
          No code came? <Link to="/forgot">Have another sent</Link>
        </>
      }
    >
      <p>Enter the code that was sent, if the address has an account.</p>
      <Form
        label="Reset"
        fields={["email", "code", "password"]}
        error={reset.error}
        onSend={(value) => {
          const email = value("email").trim();
          const code = value("code").replace(/\s/g, "");
          reset.mutate(
            { email, code, password: value("password") },
            {
              onSuccess: () => {
                notify("Your password is changed. All devices are signed out.");
                void navigate("/signin", { state: { email } });
              },
            },
          );
        }}
      >
        <Field
          label="E-mail"
          name="email"
          type="email"
          autoComplete="email"
          defaultValue={passed.email}
          problem={problemOf(reset.error, "email")}
        />
        <Field
          label="Code"
          name="code"
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={11}
          problem={problemOf(reset.error, "code")}
        />
        <Field
          label="New password"
          name="password"
          type="password"
          autoComplete="new-password"
          hint="At least 10 characters."
          problem={problemOf(reset.error, "password")}
        />
        <Button type="submit" busy={reset.isPending}>
          Change password
        </Button>
      </Form>
    </AccountPage>
  );
}
