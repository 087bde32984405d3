import { useId, useRef, useState } from "react";
import { Link, useNavigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button } from "../components/Button";
import { newKey } from "../components/draft";
import { Field, FieldNotes } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { useRouteState } from "../components/routeState";
import { t } from "../language/further";
import { useInstance } from "../queries/instance";
import { lastSignUp, useSignUp } from "../queries/signUp";
import { invitationCode } from "../text/addresses";

/** Create an account. The server sends a code to the email address. */
export function SignUp() {
  const navigate = useNavigate();
  const passed = useRouteState();
  const signUp = useSignUp();
  const key = useRef(newKey());
  const { error } = signUp;
  const instance = useInstance().data;
  // In the fragment of a link, which browsers do not send.
  const [invitation] = useState(() => invitationCode(location.hash));
  const [last] = useState(lastSignUp);
  const terms = instance?.terms_version ?? 0;
  if (instance?.sign_up_mode === "closed") {
    return (
      <AccountPage title={t.signUp.closedTitle} foot={<HasAccount />}>
        <p>{t.signUp.closed}</p>
      </AccountPage>
    );
  }
  return (
    <AccountPage title={t.signUp.title} foot={<HasAccount />}>
      <Form
        label={t.signUp.form}
        fields={["display_name", "email", "handle", "password", "invitation", "terms"]}
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
            ...(value("invitation") && { invitation: value("invitation") }),
            ...(value("terms") && { terms_version: Number(value("terms")) }),
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
          defaultValue={last?.display_name}
          hint={t.accountPage.nameHint}
          problem={problemOf(error, "display_name")}
        />
        <Field
          label={t.accountPage.handle}
          name="handle"
          autoComplete="username"
          defaultValue={last?.handle}
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
          defaultValue={last?.email}
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
        {instance?.sign_up_mode === "invitation" && (
          <Field
            label={t.signUp.invitation}
            name="invitation"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            defaultValue={invitation}
            hint={t.signUp.invitationHint}
            problem={problemOf(error, "invitation")}
          />
        )}
        {terms > 0 && <TermsField version={terms} problem={problemOf(error, "terms")} />}
        <Button type="submit" busy={signUp.isPending}>
          {t.account.join}
        </Button>
      </Form>
    </AccountPage>
  );
}

function HasAccount() {
  const passed = useRouteState();
  return (
    <>
      {t.signUp.hasAccount}{" "}
      <Link to="/signin" state={passed}>
        {t.account.signIn}
      </Link>
    </>
  );
}

/**
 * The box that accepts the terms as they are now: other terms have a box of their own. The terms open
 * in another tab, so that the form keeps what was entered.
 */
function TermsField({ version, problem }: { version: number; problem: string | undefined }) {
  const id = useId();
  const [first] = useState(version);
  return (
    <div className="field">
      <div className="choice">
        <input
          key={version}
          type="checkbox"
          id={id}
          name="terms"
          value={version}
          aria-invalid={problem !== undefined || undefined}
          aria-describedby={`${id}-hint ${id}-problem`}
        />
        <label htmlFor={id}>{t.signUp.terms}</label>
      </div>
      <FieldNotes
        id={id}
        hint={
          <>
            <Link to="/terms" target="_blank">
              {t.signUp.readTerms}
            </Link>
            <p role="status">{version !== first && t.signUp.newTerms}</p>
          </>
        }
        problem={problem}
      />
    </div>
  );
}
