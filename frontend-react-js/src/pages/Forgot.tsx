import { Link, useNavigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button } from "../components/Button";
import { Field } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { useForgot } from "../queries/accounts";

/** Ask for a code that lets one set a new password. */
export function Forgot() {
  const navigate = useNavigate();
  const forgot = useForgot();
  return (
    <AccountPage
      title="Forgot your password?"
      foot={
        <>
          It came back to you? <Link to="/signin">Sign in</Link>
        </>
      }
    >
      <p>It suits this place. We send a code to your address, and you choose a new one.</p>
      <Form
        label="Forgot"
        fields={["email"]}
        error={forgot.error}
        onSend={(value) => {
          const email = value("email").trim();
          forgot.mutate(email, {
            onSuccess: () => void navigate("/reset", { state: { email } }),
          });
        }}
      >
        <Field
          label="E-mail"
          name="email"
          type="email"
          autoComplete="email"
          problem={problemOf(forgot.error, "email")}
        />
        <Button type="submit" busy={forgot.isPending}>
          Send the code
        </Button>
      </Form>
    </AccountPage>
  );
}
