import { useRef } from "react";
import { Link, useNavigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button } from "../components/Button";
import { newKey } from "../components/draft";
import { Field } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { usePassed } from "../components/passed";
import { useSignUp } from "../queries/accounts";

/** Begin an account; a code goes to the address. */
export function SignUp() {
  const navigate = useNavigate();
  const passed = usePassed();
  const signUp = useSignUp();
  const key = useRef(newKey());
  const { error } = signUp;
  return (
    <AccountPage
      title="Join Cruddur"
      foot={
        <>
          You have an account? <Link to="/signin">Sign in</Link>
        </>
      }
    >
      <Form
        label="Join"
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
          label="Name"
          name="display_name"
          autoComplete="name"
          hint="Shown beside what you say; any name will do."
          problem={problemOf(error, "display_name")}
        />
        <Field
          label="Handle"
          name="handle"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          hint="2 to 30 of a to z, digits and underscores. It cannot be changed later."
          problem={problemOf(error, "handle")}
        />
        <Field
          label="E-mail"
          name="email"
          type="email"
          autoComplete="email"
          hint="For a code now, and if you forget your password. Nobody sees it."
          problem={problemOf(error, "email")}
        />
        <Field
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          hint="At least 10 characters."
          problem={problemOf(error, "password")}
        />
        <Button type="submit" busy={signUp.isPending}>
          Join now
        </Button>
      </Form>
    </AccountPage>
  );
}
