import type { Member } from "../../api/wire";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Form } from "../../components/Form";
import { t } from "../../language/further";
import { PasswordField } from "./PasswordField";

/** A dialog that asks for the member's password before something is removed. `action` is its button. */
export function PasswordDialog({
  member,
  title,
  label,
  text,
  action,
  error,
  busy,
  onSend,
  onClose,
}: {
  member: Member;
  title: string;
  label: string;
  text: string;
  action: string;
  error: unknown;
  busy: boolean;
  onSend: (password: string) => void;
  onClose: () => void;
}) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      <Form
        label={label}
        fields={["password"]}
        error={error}
        onSend={(value) => onSend(value("password"))}
      >
        <PasswordField member={member} error={error} />
        <div className="dialog-actions">
          <Button look="outlined" onClick={onClose}>
            {t.crud.cancel}
          </Button>
          <Button type="submit" look="danger" busy={busy}>
            {action}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
