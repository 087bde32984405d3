import { Link, useNavigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button } from "../components/Button";
import { CodeHint } from "../components/CodeHint";
import { Field } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { useRouteState } from "../components/routeState";
import { t } from "../language/further";
import { notify } from "../notices";
import { useReset } from "../queries/accounts";

/** Set a new password with the code. The server ends all sessions of the account. */
export function Reset() {
  const navigate = useNavigate();
  const passed = useRouteState();
  const reset = useReset();
  return (
    <AccountPage
      title={t.reset.title}
      foot={
        <>
          {t.reset.noCode}{" "}
          <Link to="/forgot" state={passed}>
            {t.reset.getNewCode}
          </Link>
        </>
      }
    >
      <CodeHint mailed={t.reset.mailed} printed={t.reset.printed} />
      <Form
        label={t.reset.form}
        fields={["email", "code", "password"]}
        error={reset.error}
        onSend={(value) => {
          const email = value("email").trim();
          const code = value("code").replace(/\s/g, "");
          reset.mutate(
            { email, code, password: value("password") },
            {
              onSuccess: () => {
                notify(t.reset.changed);
                void navigate("/signin", { state: { ...passed, email } });
              },
            },
          );
        }}
      >
        <Field
          label={t.accountPage.email}
          name="email"
          type="email"
          autoComplete="email"
          defaultValue={passed.email}
          problem={problemOf(reset.error, "email")}
        />
        <Field
          label={t.accountPage.code}
          name="code"
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={11}
          problem={problemOf(reset.error, "code")}
        />
        <Field
          label={t.accountPage.newPassword}
          name="password"
          type="password"
          autoComplete="new-password"
          hint={t.reset.passwordHint}
          problem={problemOf(reset.error, "password")}
        />
        <Button type="submit" busy={reset.isPending}>
          {t.reset.change}
        </Button>
      </Form>
    </AccountPage>
  );
}
