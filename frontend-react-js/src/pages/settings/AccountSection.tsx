import { useState } from "react";
import { useNavigate } from "react-router";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Form, problemOf } from "../../components/Form";
import { ProblemNote } from "../../components/Problem";
import { notify } from "../../notices";
import { useDeleteAccount, useSignOut } from "../../queries/accounts";
import { Section } from "./Section";

/** Sign out, or delete the account. */
export function AccountSection() {
  const signOut = useSignOut();
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  return (
    <Section title="Account">
      <div className="account-row">
        <Button
          look="outlined"
          busy={signOut.isPending}
          onClick={() =>
            signOut.mutateAsync().then(
              () => void navigate("/"),
              () => undefined, // shown below
            )
          }
        >
          Sign out
        </Button>
        <Button look="danger" onClick={() => setDeleting(true)}>
          Delete account…
        </Button>
      </div>
      {signOut.isError && <ProblemNote error={signOut.error} />}
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
        This deletes all your cruds, replies, reactions and messages right away. You can’t undo it.
      </p>
      <Form
        label="Delete account"
        fields={["password"]}
        error={remove.error}
        onSend={(value) =>
          void remove.mutateAsync(value("password")).then(
            () => {
              notify("Your account has been deleted.");
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
