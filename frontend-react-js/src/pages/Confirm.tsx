import { Link, Navigate, useNavigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button } from "../components/Button";
import { CodeHint } from "../components/CodeHint";
import { Field } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { ProblemNote } from "../components/Problem";
import { useRouteState } from "../components/routeState";
import { t } from "../language/further";
import { notify } from "../notices";
import { useMember } from "../queries/session";
import { useCodesInTerminal, useConfirm, useResend } from "../queries/signUp";
import { hasCode } from "../text/errors";

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
      title={t.confirm.title}
      foot={
        <>
          {t.confirm.isConfirmed}{" "}
          <Link to="/signin" state={passed}>
            {t.account.signIn}
          </Link>
        </>
      }
    >
      <CodeHint mailed={t.confirm.mailed} printed={t.confirm.printed} />
      <Form
        label={t.confirm.confirm}
        fields={["email", "code"]}
        error={confirm.error}
        onSend={(value) => {
          const body = { email: value("email").trim(), code: value("code").replace(/\s/g, "") };
          void confirm.mutateAsync(body).then(
            (isSignedIn) => {
              if (isSignedIn) {
                notify(t.confirm.welcome);
              } else {
                notify(t.confirm.ready);
                void navigate("/signin", { state: { ...passed, email: body.email } });
              }
            },
            () => undefined, // shown by the form
          );
        }}
      >
        <Field
          label={t.accountPage.email}
          name="email"
          type="email"
          autoComplete="email"
          defaultValue={passed.email}
          problem={problemOf(confirm.error, "email")}
        />
        <Field
          label={t.accountPage.code}
          name="code"
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={11}
          problem={problemOf(confirm.error, "code")}
        />
        {hasCode(confirm.error, "invitation_invalid") && (
          <p>
            <Link to="/signup" state={passed}>
              {t.confirm.otherInvitation}
            </Link>
          </p>
        )}
        {resend.isError && <ProblemNote error={resend.error} />}
        <div className="account-row">
          <Button
            look="plain"
            busy={resend.isPending}
            onClick={(event) => {
              const values = new FormData(event.currentTarget.form ?? undefined);
              resend.mutate(String(values.get("email")).trim(), {
                onSuccess: () =>
                  notify(isInTerminal ? t.confirm.newCodePrinted : t.confirm.newCodeSent),
              });
            }}
          >
            {t.confirm.sendNewCode}
          </Button>
          <Button type="submit" busy={confirm.isPending}>
            {t.confirm.confirm}
          </Button>
        </div>
      </Form>
    </AccountPage>
  );
}
