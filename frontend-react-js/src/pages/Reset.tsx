import { Link, useNavigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button } from "../components/Button";
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
      <p>If that address has an account, we’ve sent it a code. Enter the code below.</p>
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
