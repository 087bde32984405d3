import { useState } from "react";
import { t } from "../language/further";
import { notify } from "../notices";
import { useStopEmailChange } from "../queries/emailChange";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Field } from "./Field";
import { Form, problemOf } from "./Form";

/** Stop a change of the address, with the code that was sent to the old one. */
export function StopEmailChange() {
  const [isOpen, setOpen] = useState(false);
  const stop = useStopEmailChange();
  const close = () => setOpen(false);
  return (
    <>
      <Button look="outlined" onClick={() => setOpen(true)}>
        {t.email.stop}
      </Button>
      {isOpen && (
        <Dialog title={t.email.stop} onClose={close}>
          <p>{t.email.stopText}</p>
          <Form
            label={t.email.stop}
            fields={["code"]}
            error={stop.error}
            onSend={(value) =>
              stop.mutate(value("code").trim(), {
                onSuccess: () => {
                  notify(t.email.stopped);
                  close();
                },
              })
            }
          >
            <Field
              label={t.email.stopCode}
              name="code"
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              maxLength={100}
              problem={problemOf(stop.error, "code")}
            />
            <div className="dialog-actions">
              <Button look="outlined" onClick={close}>
                {t.crud.cancel}
              </Button>
              <Button type="submit" busy={stop.isPending}>
                {t.email.stopNow}
              </Button>
            </div>
          </Form>
        </Dialog>
      )}
    </>
  );
}
