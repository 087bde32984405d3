import { useRef, useState } from "react";
import { Link, Navigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button, ButtonLink } from "../components/Button";
import { CodeField } from "../components/CodeField";
import { Field } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { useRouteState } from "../components/routeState";
import { SuspensionNote } from "../components/SuspensionNote";
import { t } from "../language/further";
import { useSignIn } from "../queries/accounts";
import type { Credentials } from "../queries/notices";
import { useMember } from "../queries/session";
import { hasCode } from "../text/errors";

/** Sign in, then return to the page that asked for it. */
export function SignIn() {
  const passed = useRouteState();
  const member = useMember();
  const signIn = useSignIn();
  const email = useRef(passed.email ?? "");
  const [asksForCode, setAsksForCode] = useState(false);
  const [tried, setTried] = useState<Credentials>();
  if (member !== null) {
    return <Navigate to={passed.from ?? "/"} replace />;
  }
  return (
    <AccountPage
      title={passed.why ?? t.signIn.title}
      foot={
        <>
          {t.signIn.isNew}{" "}
          <Link to="/signup" state={passed}>
            {t.account.join}
          </Link>
        </>
      }
    >
      <Form
        label={t.account.signIn}
        fields={["email", "password", "code"]}
        error={signIn.error}
        onSend={(value) => {
          email.current = value("email").trim();
          const credentials = { email: email.current, password: value("password") };
          const code = value("code").trim();
          setTried(credentials);
          signIn.mutate(
            { ...credentials, ...(code && { code }) },
            { onError: (error) => hasCode(error, "code_required") && setAsksForCode(true) },
          );
        }}
      >
        {hasCode(signIn.error, "email_unconfirmed") && (
          <ButtonLink look="outlined" to="/confirm" state={{ ...passed, email: email.current }}>
            {t.signIn.enterCode}
          </ButtonLink>
        )}
        <Field
          label={t.accountPage.emailOrHandle}
          name="email"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          defaultValue={passed.email}
          problem={problemOf(signIn.error, "email")}
        />
        <Field
          label={t.accountPage.password}
          name="password"
          type="password"
          autoComplete="current-password"
          problem={problemOf(signIn.error, "password")}
        />
        {asksForCode && <CodeField hint={t.signIn.codeHint} error={signIn.error} />}
        <div className="account-row">
          <Link to="/forgot" state={passed}>
            {t.signIn.forgot}
          </Link>
          <Button type="submit" busy={signIn.isPending}>
            {t.account.signIn}
          </Button>
        </div>
      </Form>
      {tried && hasCode(signIn.error, "account_suspended") && (
        <SuspensionNote key={signIn.submittedAt} credentials={tried} />
      )}
    </AccountPage>
  );
}
