import { Link, useNavigate } from "react-router";
import { AccountPage } from "../components/AccountPage";
import { Button } from "../components/Button";
import { Field } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { useRouteState } from "../components/routeState";
import { StopEmailChange } from "../components/StopEmailChange";
import { t } from "../language/further";
import { useForgot } from "../queries/accounts";

/** Request a code for a new password. */
export function Forgot() {
  const navigate = useNavigate();
  const passed = useRouteState();
  const forgot = useForgot();
  return (
    <AccountPage
      title={t.forgot.title}
      foot={
        <>
          {t.forgot.remembered}{" "}
          <Link to="/signin" state={passed}>
            {t.account.signIn}
          </Link>
        </>
      }
    >
      <p>{t.forgot.text}</p>
      <Form
        label={t.forgot.form}
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
          label={t.accountPage.email}
          name="email"
          type="email"
          autoComplete="email"
          problem={problemOf(forgot.error, "email")}
        />
        <Button type="submit" busy={forgot.isPending}>
          {t.forgot.getCode}
        </Button>
      </Form>
      <StopEmailChange />
    </AccountPage>
  );
}
