import { useState } from "react";
import { useNavigate } from "react-router";
import { t } from "../language/further";
import { notify } from "../notices";
import { useDeleteAccount } from "../queries/accounts";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Field } from "./Field";
import { Form, problemOf } from "./Form";

/** A button that deletes the account, after the password. */
export function DeleteAccount() {
  const [isDeleting, setDeleting] = useState(false);
  return (
    <>
      <Button look="danger" onClick={() => setDeleting(true)}>
        {t.settings.deleteAccountMore}
      </Button>
      {isDeleting && <DeleteDialog onClose={() => setDeleting(false)} />}
    </>
  );
}

function DeleteDialog({ onClose }: { onClose: () => void }) {
  const remove = useDeleteAccount();
  const navigate = useNavigate();
  return (
    <Dialog title={t.settings.deleteTitle} onClose={onClose}>
      <p>{t.settings.deleteWarning}</p>
      <Form
        label={t.settings.deleteAccount}
        fields={["password"]}
        error={remove.error}
        onSend={(value) =>
          void remove.mutateAsync(value("password")).then(
            () => {
              notify(t.settings.accountDeleted);
              void navigate("/");
            },
            () => undefined, // shown by the form
          )
        }
      >
        <Field
          label={t.settings.yourPassword}
          name="password"
          type="password"
          autoComplete="current-password"
          problem={problemOf(remove.error, "password")}
        />
        <div className="dialog-actions">
          <Button look="outlined" onClick={onClose}>
            {t.crud.cancel}
          </Button>
          <Button type="submit" look="danger" busy={remove.isPending}>
            {t.settings.deleteAccount}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
