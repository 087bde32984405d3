import { Link, Navigate, useNavigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button } from "../components/Button";
import { CodeHint } from "../components/CodeHint";
import { Field } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { ProblemNote } from "../components/Problem";
import { useRouteState } from "../components/routeState";
import { notify } from "../notices";
import { useCodesInTerminal, useConfirm, useResend } from "../queries/accounts";
import { useMember } from "../queries/session";

/**
 * Confirm the email address of a new account with the code that was sent to it. That signs in, and
 * leads to the page that asked for it.
 */
export function Confirm() {
  const navigate = useNavigate();
  const passed = useRouteState();
  const confirm = useConfirm();
  const resend = useResend();
  const isInTerminal = useCodesInTerminal();
  const member = useMember();
  if (member !== null) {
    return <Navigate to={passed.from ?? "/"} replace />;
  }
  return (
    <AccountPage
      title="Enter your code"
      foot={
        <>
          Already confirmed?{" "}
          <Link to="/signin" state={passed}>
            Sign in
          </Link>
        </>
      }
    >
      <CodeHint
        mailed="We sent a six-digit code to your email address."
        printed="Your six-digit code is printed in the terminal that runs Cruddur."
      />
      <Form
        label="Confirm"
        fields={["email", "code"]}
        error={confirm.error}
        onSend={(value) => {
          const body = { email: value("email").trim(), code: value("code").replace(/\s/g, "") };
          void confirm.mutateAsync(body).then(
            (isSignedIn) => {
              if (isSignedIn) {
                notify("Welcome to Cruddur!");
              } else {
                notify("Your account is ready. Sign in to start.");
                void navigate("/signin", { state: { ...passed, email: body.email } });
              }
            },
            () => undefined, // shown by the form
          );
        }}
      >
        <Field
          label="Email"
          name="email"
          type="email"
          autoComplete="email"
          defaultValue={passed.email}
          problem={problemOf(confirm.error, "email")}
        />
        <Field
          label="Code"
          name="code"
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={11}
          problem={problemOf(confirm.error, "code")}
        />
        {resend.isError && <ProblemNote error={resend.error} />}
        <div className="account-row">
          <Button
            look="plain"
            busy={resend.isPending}
            onClick={(event) => {
              const values = new FormData(event.currentTarget.form ?? undefined);
              resend.mutate(String(values.get("email")).trim(), {
                onSuccess: () =>
                  notify(isInTerminal ? "New code printed" : "A new code is on its way"),
              });
            }}
          >
            Send a new code
          </Button>
          <Button type="submit" busy={confirm.isPending}>
            Confirm
          </Button>
        </div>
      </Form>
    </AccountPage>
  );
}
