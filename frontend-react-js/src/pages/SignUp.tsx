import { useRef } from "react";
import { Link, useNavigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button } from "../components/Button";
import { newKey } from "../components/draft";
import { Field } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { useRouteState } from "../components/routeState";
import { t } from "../language/further";
import { useSignUp } from "../queries/accounts";

/** Create an account. The server sends a code to the email address. */
export function SignUp() {
  const navigate = useNavigate();
  const passed = useRouteState();
  const signUp = useSignUp();
  const key = useRef(newKey());
  const { error } = signUp;
  return (
    <AccountPage
      title={t.signUp.title}
      foot={
        <>
          {t.signUp.hasAccount}{" "}
          <Link to="/signin" state={passed}>
            {t.account.signIn}
          </Link>
        </>
      }
    >
      <Form
        label={t.signUp.form}
        fields={["display_name", "email", "handle", "password"]}
        error={error}
        onChange={() => {
          key.current = newKey();
        }}
        onSend={(value) => {
          const body = {
            display_name: value("display_name"),
            email: value("email").trim(),
            handle: value("handle").trim().toLowerCase().replace(/^@/, ""),
            password: value("password"),
          };
          signUp.mutate(
            { body, key: key.current },
            {
              onSuccess: () =>
                void navigate("/confirm", { state: { ...passed, email: body.email } }),
            },
          );
        }}
      >
        <Field
          label={t.accountPage.name}
          name="display_name"
          autoComplete="name"
          hint={t.accountPage.nameHint}
          problem={problemOf(error, "display_name")}
        />
        <Field
          label={t.accountPage.handle}
          name="handle"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          hint={t.accountPage.handleHint}
          problem={problemOf(error, "handle")}
        />
        <Field
          label={t.accountPage.email}
          name="email"
          type="email"
          autoComplete="email"
          hint={t.accountPage.emailHint}
          problem={problemOf(error, "email")}
        />
        <Field
          label={t.accountPage.password}
          name="password"
          type="password"
          autoComplete="new-password"
          hint={t.accountPage.passwordHint}
          problem={problemOf(error, "password")}
        />
        <Button type="submit" busy={signUp.isPending}>
          {t.account.join}
        </Button>
      </Form>
    </AccountPage>
  );
}
