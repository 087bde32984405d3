import { useRef } from "react";
import { Link, Navigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button, ButtonLink } from "../components/Button";
import { Field } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { useRouteState } from "../components/routeState";
import { useSignIn } from "../queries/accounts";
import { useMember } from "../queries/session";
import { hasCode } from "../text/errors";

/** Sign in, then return to the page that asked for it. */
export function SignIn() {
  const passed = useRouteState();
  const member = useMember();
  const signIn = useSignIn();
  const email = useRef(passed.email ?? "");
  if (member !== null) {
    return <Navigate to={passed.from ?? "/"} replace />;
  }
  return (
    <AccountPage
      title={passed.why ? `Sign in ${passed.why}` : "Sign in to Cruddur"}
      foot={
        <>
          New to Cruddur?{" "}
          <Link to="/signup" state={passed}>
            Join now
          </Link>
        </>
      }
    >
      <Form
        label="Sign in"
        fields={["email", "password"]}
        error={signIn.error}
        onSend={(value) => {
          email.current = value("email").trim();
          signIn.mutate({ email: email.current, password: value("password") });
        }}
      >
        {hasCode(signIn.error, "email_unconfirmed") && (
          <ButtonLink look="outlined" to="/confirm" state={{ ...passed, email: email.current }}>
            Enter the code
          </ButtonLink>
        )}
        <Field
          label="Email or handle"
          name="email"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          defaultValue={passed.email}
          problem={problemOf(signIn.error, "email")}
        />
        <Field
          label="Password"
          name="password"
          type="password"
          autoComplete="current-password"
          problem={problemOf(signIn.error, "password")}
        />
        <div className="account-row">
          <Link to="/forgot" state={passed}>
            Forgot your password?
          </Link>
          <Button type="submit" busy={signIn.isPending}>
            Sign in
          </Button>
        </div>
      </Form>
    </AccountPage>
  );
}
