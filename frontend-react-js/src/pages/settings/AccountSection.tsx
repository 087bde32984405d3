import { useState } from "react";
import { useNavigate } from "react-router";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Form, problemOf } from "../../components/Form";
import { notify } from "../../notices";
import { useDeleteAccount } from "../../queries/accounts";
import { Section } from "./Section";

/** Delete the account. */
export function AccountSection() {
  const [isDeleting, setDeleting] = useState(false);
  return (
    <Section title="Account">
      <div className="account-row">
        <Button look="danger" onClick={() => setDeleting(true)}>
          Delete account…
        </Button>
      </div>
      {isDeleting && <DeleteDialog onClose={() => setDeleting(false)} />}
    </Section>
  );
}

function DeleteDialog({ onClose }: { onClose: () => void }) {
  const remove = useDeleteAccount();
  const navigate = useNavigate();
  return (
    <Dialog title="Delete your account?" onClose={onClose}>
      <p>
        This deletes your cruds, replies, likes, reposts and messages right away. You can’t undo it.
      </p>
      <Form
        label="Delete account"
        fields={["password"]}
        error={remove.error}
        onSend={(value) =>
          void remove.mutateAsync(value("password")).then(
            () => {
              notify("Your account is deleted");
              void navigate("/");
            },
            () => undefined, // shown by the form
          )
        }
      >
        <Field
          label="Your password"
          name="password"
          type="password"
          autoComplete="current-password"
          problem={problemOf(remove.error, "password")}
        />
        <div className="dialog-actions">
          <Button look="outlined" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="danger" busy={remove.isPending}>
            Delete account
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
