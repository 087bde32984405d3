import { useId, useState } from "react";
import type { Member, Passkey } from "../../api/wire";
import { Button } from "../../components/Button";
import { Ago } from "../../components/Clock";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Form, problemOf } from "../../components/Form";
import { Icon } from "../../components/Icon";
import { Skeleton } from "../../components/List";
import { ProblemNote } from "../../components/Problem";
import { t } from "../../language/further";
import { notify } from "../../notices";
import {
  useAddPasskey,
  useCanUsePasskeys,
  usePasskeySupport,
  usePasskeys,
  useRemovePasskey,
  useRenamePasskey,
} from "../../queries/passkeys";
import { useSecondFactor } from "../../queries/secondFactor";
import { describeDevice } from "../../text/device";
import { PasswordDialog } from "./PasswordDialog";
import { PasswordField } from "./PasswordField";
import { RecoveryCodes } from "./RecoveryCodes";
import { Section } from "./Section";
import { useKeptOpen } from "./useKeptOpen";

/** List the passkeys, add one, rename one, and remove one. Not for every provider and address. */
export function PasskeysSection({ member }: { member: Member }) {
  const isAvailable = usePasskeySupport(true);
  const passkeys = usePasskeys();
  const factor = useSecondFactor();
  const canAdd = useCanUsePasskeys();
  const [isAdding, setAdding] = useState(false);
  if (!isAvailable || factor.data === undefined || factor.data.status === "unavailable") {
    return null; // the section of the second factor shows an error
  }
  const isLast = passkeys.data?.length === 1 && factor.data.status === "off";
  return (
    <Section title={t.passkeys.title}>
      <p>{t.passkeys.what}</p>
      {passkeys.data ? (
        <>
          {passkeys.data.length > 0 && (
            <ul className="devices">
              {passkeys.data.map((passkey) => (
                <Row key={passkey.uuid} member={member} passkey={passkey} isLast={isLast} />
              ))}
            </ul>
          )}
          {passkeys.data.length > 0 && factor.data.status === "off" && (
            <p>{t.passkeys.codesLeft(factor.data.recovery_codes_left)}</p>
          )}
        </>
      ) : passkeys.isError ? (
        <ProblemNote error={passkeys.error} retry={() => void passkeys.refetch()} />
      ) : (
        <Skeleton rows={1} />
      )}
      {canAdd ? (
        <div className="account-row">
          <Button look="outlined" onClick={() => setAdding(true)}>
            {t.passkeys.addMore}
          </Button>
        </div>
      ) : (
        <p className="field-hint">{t.passkeys.unsupported}</p>
      )}
      {isAdding && <AddDialog member={member} onClose={() => setAdding(false)} />}
    </Section>
  );
}

function Row({ member, passkey, isLast }: { member: Member; passkey: Passkey; isLast: boolean }) {
  const id = useId();
  const [opened, setOpened] = useState<"rename" | "remove" | null>(null);
  const close = () => setOpened(null);
  return (
    <li className="device">
      <Icon name="key" />
      <div>
        <p>
          <b className="anywhere">{passkey.name}</b>
        </p>
        <p className="field-hint" id={id}>
          {t.passkeys.added(<Ago time={passkey.created_at} />)} ·{" "}
          {passkey.used_at === null
            ? t.passkeys.unused
            : t.passkeys.used(<Ago time={passkey.used_at} />)}
        </p>
      </div>
      <div className="device-actions">
        <Button
          look="outlined"
          aria-label={t.passkeys.renameOne(passkey.name)}
          aria-describedby={id}
          onClick={() => setOpened("rename")}
        >
          {t.passkeys.rename}
        </Button>
        <Button
          look="outlined"
          aria-label={t.passkeys.removeOne(passkey.name)}
          aria-describedby={id}
          onClick={() => setOpened("remove")}
        >
          {t.passkeys.removeMore}
        </Button>
      </div>
      {opened === "rename" && <RenameDialog passkey={passkey} onClose={close} />}
      {opened === "remove" && (
        <RemoveDialog member={member} passkey={passkey} isLast={isLast} onClose={close} />
      )}
    </li>
  );
}

function AddDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const add = useAddPasskey();
  const [codes, setCodes] = useState<readonly string[]>([]);
  const { close, isAsked } = useKeptOpen(codes.length > 0, onClose);
  return (
    <Dialog title={codes.length === 0 ? t.passkeys.add : t.passkeys.addedTitle} onClose={close}>
      {codes.length > 0 ? (
        <RecoveryCodes codes={codes} isAsked={isAsked} onClose={onClose} />
      ) : (
        <Form
          label={t.passkeys.add}
          fields={["passkey_name", "password"]}
          error={add.error}
          onSend={(value) =>
            add.mutate(
              { name: value("passkey_name"), password: value("password") },
              {
                onSuccess: ({ recovery_codes }) => {
                  setCodes(recovery_codes);
                  if (recovery_codes.length === 0) {
                    notify(t.passkeys.addedTitle);
                    onClose();
                  }
                },
              },
            )
          }
        >
          <p>{t.passkeys.addHint}</p>
          <NameField name={describeDevice(navigator.userAgent)} error={add.error} />
          <PasswordField member={member} error={add.error} />
          <div className="dialog-actions">
            <Button look="outlined" onClick={onClose}>
              {t.crud.cancel}
            </Button>
            <Button type="submit" busy={add.isPending}>
              {t.passkeys.add}
            </Button>
          </div>
        </Form>
      )}
    </Dialog>
  );
}

function RenameDialog({ passkey, onClose }: { passkey: Passkey; onClose: () => void }) {
  const rename = useRenamePasskey();
  return (
    <Dialog title={t.passkeys.renameTitle} onClose={onClose}>
      <Form
        label={t.passkeys.renameTitle}
        fields={["passkey_name"]}
        error={rename.error}
        onSend={(value) =>
          rename.mutate({ uuid: passkey.uuid, name: value("passkey_name") }, { onSuccess: onClose })
        }
      >
        <NameField name={passkey.name} error={rename.error} />
        <div className="dialog-actions">
          <Button look="outlined" onClick={onClose}>
            {t.crud.cancel}
          </Button>
          <Button type="submit" busy={rename.isPending}>
            {t.passkeys.save}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

function RemoveDialog({
  member,
  passkey,
  isLast,
  onClose,
}: {
  member: Member;
  passkey: Passkey;
  isLast: boolean;
  onClose: () => void;
}) {
  const remove = useRemovePasskey();
  const title = t.passkeys.removeTitle(passkey.name);
  return (
    <PasswordDialog
      member={member}
      title={title}
      label={title}
      text={isLast ? t.secondFactor.turnOffText : t.passkeys.removeText}
      action={t.passkeys.remove}
      error={remove.error}
      busy={remove.isPending}
      onSend={(password) =>
        remove.mutate(
          { uuid: passkey.uuid, password },
          {
            onSuccess: () => {
              notify(t.passkeys.removed(passkey.name));
              onClose();
            },
          },
        )
      }
      onClose={onClose}
    />
  );
}

function NameField({ name, error }: { name: string; error: unknown }) {
  return (
    <Field
      label={t.passkeys.name}
      name="passkey_name"
      autoComplete="off"
      maxLength={50}
      defaultValue={name}
      hint={t.passkeys.nameHint}
      problem={problemOf(error, "passkey_name")}
    />
  );
}
