import { Link, useNavigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button } from "../components/Button";
import { CodeHint } from "../components/CodeHint";
import { Field } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { useRouteState } from "../components/routeState";
import { notify } from "../notices";
import { useReset } from "../queries/accounts";

/** Set a new password with the code. The server ends all sessions of the account. */
export function Reset() {
  const navigate = useNavigate();
  const passed = useRouteState();
  const reset = useReset();
  return (
    <AccountPage
      title="Choose a new password"
      foot={
        <>
          Didn’t get a code?{" "}
          <Link to="/forgot" state={passed}>
            Get a new one
          </Link>
        </>
      }
    >
      <CodeHint
        mailed="If this address has an account, we sent it a six-digit code."
        printed="If this address has an account, a six-digit code is printed in the terminal that runs Cruddur."
      />
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
                notify("Password changed. Sign in with the new one.");
                void navigate("/signin", { state: { ...passed, email } });
              },
            },
          );
        }}
      >
        <Field
          label="Email"
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
          hint="At least 10 characters, and hard to guess. You’ll be signed out on all devices."
          problem={problemOf(reset.error, "password")}
        />
        <Button type="submit" busy={reset.isPending}>
          Change password
        </Button>
      </Form>
    </AccountPage>
  );
}
