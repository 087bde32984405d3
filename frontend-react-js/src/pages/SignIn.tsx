import { useRef, useState } from "react";
import { Link, Navigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button, ButtonLink } from "../components/Button";
import { Field } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { useRouteState } from "../components/routeState";
import { type Factor, factorOf, SecondFactorFields } from "../components/SecondFactorFields";
import { SuspensionNote } from "../components/SuspensionNote";
import { t } from "../language/further";
import { useSignIn } from "../queries/accounts";
import { useCanJoin } from "../queries/instance";
import { type Credentials, useCanUsePasskeys, usePasskeySignIn } from "../queries/passkeys";
import { askedOnce } from "../queries/secondFactor";
import { useMember } from "../queries/session";
import { hasCode } from "../text/errors";

/** Sign in, then return to the page that asked for it. */
export function SignIn() {
  const passed = useRouteState();
  const member = useMember();
  const signIn = useSignIn();
  const email = useRef(passed.email ?? "");
  const passkey = usePasskeySignIn();
  const canJoin = useCanJoin();
  const canUsePasskeys = useCanUsePasskeys();
  const [asksFor, setAsksFor] = useState<Factor>();
  const [tried, setTried] = useState<Credentials>();
  const error = askedOnce(passkey.error ?? signIn.error);
  if (member !== null) {
    return <Navigate to={passed.from ?? "/"} replace />;
  }
  return (
    <AccountPage
      title={passed.why ?? t.signIn.title}
      foot={
        canJoin && (
          <>
            {t.signIn.isNew}{" "}
            <Link to="/signup" state={passed}>
              {t.account.join}
            </Link>
          </>
        )
      }
    >
      <Form
        label={t.account.signIn}
        fields={["email", "password", "code"]}
        error={error}
        onSend={(value) => {
          email.current = value("email").trim();
          const credentials = { email: email.current, password: value("password") };
          const code = value("code").trim();
          setTried(credentials);
          passkey.reset();
          signIn.mutate(
            { ...credentials, ...(code && { code }) },
            { onError: (refusal) => setAsksFor((before) => factorOf(refusal) ?? before) },
          );
        }}
      >
        {hasCode(error, "email_unconfirmed") && (
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
          problem={problemOf(error, "email")}
        />
        <Field
          label={t.accountPage.password}
          name="password"
          type="password"
          autoComplete="current-password"
          problem={problemOf(error, "password")}
        />
        {tried && asksFor !== undefined && (
          <SecondFactorFields
            factor={asksFor}
            error={error}
            isAnswering={passkey.isPending}
            onPasskey={() => passkey.mutate(tried)}
          />
        )}
        <div className="account-row">
          <Link to="/forgot" state={passed}>
            {t.signIn.forgot}
          </Link>
          <Button type="submit" busy={signIn.isPending}>
            {t.account.signIn}
          </Button>
        </div>
      </Form>
      {asksFor === undefined && canUsePasskeys && (
        <Button
          look="outlined"
          busy={passkey.isPending}
          onClick={() => {
            setTried(undefined);
            signIn.reset();
            passkey.mutate(null);
          }}
        >
          {t.signIn.passkeyAlone}
        </Button>
      )}
      {hasCode(error, "account_suspended") && (
        <SuspensionNote
          attempt={Math.max(signIn.submittedAt, passkey.submittedAt)}
          onSignedOut={() => {
            signIn.reset();
            passkey.reset();
          }}
        />
      )}
    </AccountPage>
  );
}
