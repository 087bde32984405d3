import { Link, useNavigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button } from "../components/Button";
import { Field } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { ProblemNote } from "../components/Problem";
import { usePassed } from "../components/passed";
import { notify } from "../notices";
import { useConfirm, useResend } from "../queries/accounts";

/** Open the account with the code that was sent. */
export function Confirm() {
  const navigate = useNavigate();
  const passed = usePassed();
  const confirm = useConfirm();
  const resend = useResend();
  return (
    <AccountPage
      title="Enter your code"
      foot={
        <>
          Confirmed already? <Link to="/signin">Sign in</Link>
        </>
      }
    >
      <p>Enter the six digits that were sent to your address. They are good for 15 minutes.</p>
      <Form
        label="Confirm"
        fields={["email", "code"]}
        error={confirm.error}
        onSend={(value) => {
          const body = { email: value("email").trim(), code: value("code").replace(/\s/g, "") };
          confirm.mutate(body, {
            onSuccess: () => {
              notify("Your account is open. Sign in, and crud.");
              void navigate("/signin", { state: { ...passed, email: body.email } });
            },
          });
        }}
      >
        <Field
          label="E-mail"
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
