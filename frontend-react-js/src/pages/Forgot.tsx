import { Link, useNavigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button } from "../components/Button";
import { Field } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { useRouteState } from "../components/routeState";
import { useForgot } from "../queries/accounts";

/** Request a code for a new password. */
export function Forgot() {
  const navigate = useNavigate();
  const passed = useRouteState();
  const forgot = useForgot();
  return (
    <AccountPage
      title="Forgot your password?"
      foot={
        <>
          Remembered it?{" "}
          <Link to="/signin" state={passed}>
            Sign in
          </Link>
        </>
      }
    >
      <p>Enter your email address to get a code for a new password.</p>
      <Form
        label="Forgot"
        fields={["email"]}
        error={forgot.error}
        onSend={(value) => {
          const email = value("email").trim();
          forgot.mutate(email, {
            onSuccess: () => void navigate("/reset", { state: { ...passed, email } }),
          });
        }}
      >
        <Field
          label="Email"
          name="email"
          type="email"
          autoComplete="email"
          problem={problemOf(forgot.error, "email")}
        />
        <Button type="submit" busy={forgot.isPending}>
          Get a code
        </Button>
      </Form>
    </AccountPage>
  );
}
