import { Link, useNavigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button } from "../components/Button";
import { Field } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { ProblemNote } from "../components/Problem";
import { useRouteState } from "../components/routeState";
import { notify } from "../notices";
import { useConfirm, useResend } from "../queries/accounts";

/** Confirm the email address of a new account with the code that was sent to it. */
export function Confirm() {
  const navigate = useNavigate();
  const passed = useRouteState();
  const confirm = useConfirm();
  const resend = useResend();
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
      <p>We sent a six-digit code to your email address. It’s valid for 15 minutes.</p>
      <Form
        label="Confirm"
        fields={["email", "code"]}
        error={confirm.error}
        onSend={(value) => {
          const body = { email: value("email").trim(), code: value("code").replace(/\s/g, "") };
          confirm.mutate(body, {
            onSuccess: () => {
              notify("Your account is ready. Sign in to start.");
              void navigate("/signin", { state: { ...passed, email: body.email } });
            },
          });
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
                onSuccess: () => notify("A new code is on its way."),
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
