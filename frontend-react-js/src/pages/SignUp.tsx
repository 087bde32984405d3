import { useRef } from "react";
import { Link, useNavigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button } from "../components/Button";
import { newKey } from "../components/draft";
import { Field } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { useRouteState } from "../components/routeState";
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
      title="Join Cruddur"
      foot={
        <>
          Already have an account?{" "}
          <Link to="/signin" state={passed}>
            Sign in
          </Link>
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
          hint="Shown next to your cruds. It doesn’t have to be your real name."
          problem={problemOf(error, "display_name")}
        />
        <Field
          label="Handle"
          name="handle"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          hint="2 to 30 letters (a to z), digits or underscores. You can’t change it later."
          problem={problemOf(error, "handle")}
        />
        <Field
          label="Email"
          name="email"
          type="email"
          autoComplete="email"
          hint="For your confirmation code and password resets. No one else can see it."
          problem={problemOf(error, "email")}
        />
        <Field
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          hint="At least 10 characters, and hard to guess."
          problem={problemOf(error, "password")}
        />
        <Button type="submit" busy={signUp.isPending}>
          Join now
        </Button>
      </Form>
    </AccountPage>
  );
}
