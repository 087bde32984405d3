import { useEffect, useState } from "react";
import type { Member, SecondFactorSecret } from "../../api/wire";
import { Button } from "../../components/Button";
import { CodeField } from "../../components/CodeField";
import { Dialog } from "../../components/Dialog";
import { Form } from "../../components/Form";
import { Skeleton } from "../../components/List";
import { ProblemNote } from "../../components/Problem";
import { t } from "../../language/further";
import { notify } from "../../notices";
import { usePasskeys } from "../../queries/passkeys";
import {
  useBeginSecondFactor,
  useConfirmSecondFactor,
  useRemoveSecondFactor,
  useSecondFactor,
} from "../../queries/secondFactor";
import type { QrCode } from "../../text/qrCode";
import { PasswordDialog } from "./PasswordDialog";
import { PasswordField } from "./PasswordField";
import { RecoveryCodes } from "./RecoveryCodes";
import { Secret } from "./Secret";
import { Section } from "./Section";
import { useKeptOpen } from "./useKeptOpen";

/** Turn sign-ins with a code of an authenticator app on and off. Not for every provider. */
export function SecondFactorSection({ member }: { member: Member }) {
  const factor = useSecondFactor();
  const [opened, setOpened] = useState<"set-up" | "turn-off" | null>(null);
  const close = () => setOpened(null);
  if (factor.data?.status === "unavailable") {
    return null;
  }
  return (
    <Section title={t.secondFactor.title}>
      {factor.data ? (
        <>
          <p>
            {factor.data.status === "on"
              ? t.secondFactor.isOn(factor.data.recovery_codes_left)
              : t.secondFactor.isOff}
          </p>
          <div className="account-row">
            {factor.data.status === "on" ? (
              <Button look="outlined" onClick={() => setOpened("turn-off")}>
                {t.secondFactor.turnOffMore}
              </Button>
            ) : (
              <Button look="outlined" onClick={() => setOpened("set-up")}>
                {t.secondFactor.setUpMore}
              </Button>
            )}
          </div>
        </>
      ) : factor.isError ? (
        <ProblemNote error={factor.error} retry={() => void factor.refetch()} />
      ) : (
        <Skeleton rows={1} />
      )}
      {opened === "set-up" && <SetUpDialog member={member} onClose={close} />}
      {opened === "turn-off" && <TurnOffDialog member={member} onClose={close} />}
    </Section>
  );
}

function SetUpDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const [secret, setSecret] = useState<SecondFactorSecret | null>(null);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const { close, isAsked } = useKeptOpen(codes !== null, onClose);
  return (
    <Dialog
      title={codes === null ? t.secondFactor.setUp : t.secondFactor.recoveryTitle}
      onClose={close}
    >
      {codes !== null ? (
        <RecoveryCodes codes={codes} isAsked={isAsked} onClose={onClose} />
      ) : secret !== null ? (
        <ConfirmForm
          secret={secret}
          onConfirmed={(confirmed) => {
            if (confirmed.length === 0) {
              notify(t.secondFactor.recoveryTitle); // the codes came with a passkey
              onClose();
            } else {
              setCodes(confirmed);
            }
          }}
          onClose={onClose}
        />
      ) : (
        <BeginForm member={member} onBegun={setSecret} onClose={onClose} />
      )}
    </Dialog>
  );
}

function BeginForm({
  member,
  onBegun,
  onClose,
}: {
  member: Member;
  onBegun: (secret: SecondFactorSecret) => void;
  onClose: () => void;
}) {
  const begin = useBeginSecondFactor();
  return (
    <Form
      label={t.secondFactor.setUp}
      fields={["password"]}
      error={begin.error}
      onSend={(value) => begin.mutate(value("password"), { onSuccess: onBegun })}
    >
      <p>{t.secondFactor.needsApp}</p>
      <PasswordField member={member} error={begin.error} />
      <div className="dialog-actions">
        <Button look="outlined" onClick={onClose}>
          {t.crud.cancel}
        </Button>
        <Button type="submit" busy={begin.isPending}>
          {t.secondFactor.next}
        </Button>
      </div>
    </Form>
  );
}

function ConfirmForm({
  secret,
  onConfirmed,
  onClose,
}: {
  secret: SecondFactorSecret;
  onConfirmed: (codes: readonly string[]) => void;
  onClose: () => void;
}) {
  const confirm = useConfirmSecondFactor();
  return (
    <Form
      label={t.secondFactor.setUp}
      fields={["code"]}
      error={confirm.error}
      onSend={(value) =>
        confirm.mutate(value("code").trim(), {
          onSuccess: ({ recovery_codes }) => onConfirmed(recovery_codes),
        })
      }
    >
      <p>{t.secondFactor.scan}</p>
      <QrImage text={secret.uri} />
      <Secret label={t.secondFactor.secret} text={secret.secret} />
      <CodeField error={confirm.error} />
      <div className="dialog-actions">
        <Button look="outlined" onClick={onClose}>
          {t.crud.cancel}
        </Button>
        <Button type="submit" busy={confirm.isPending}>
          {t.secondFactor.turnOn}
        </Button>
      </div>
    </Form>
  );
}

/** The QR code of a text. Without it, the secret next to it can still be typed into the app. */
function QrImage({ text }: { text: string }) {
  const [code, setCode] = useState<QrCode | null>(null);
  useEffect(() => {
    let isShown = true;
    import("../../text/qrCode").then(
      ({ qrCode }) => isShown && setCode(qrCode(text)),
      () => undefined,
    );
    return () => {
      isShown = false;
    };
  }, [text]);
  return (
    <svg
      className="qr"
      role="img"
      aria-label={t.secondFactor.qr}
      viewBox={code === null ? undefined : `0 0 ${code.size} ${code.size}`}
    >
      <path d={code?.path} />
    </svg>
  );
}

function TurnOffDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const remove = useRemoveSecondFactor();
  const hasPasskeys = (usePasskeys().data?.length ?? 0) > 0;
  return (
    <PasswordDialog
      member={member}
      title={t.secondFactor.turnOffTitle}
      label={t.secondFactor.turnOff}
      text={hasPasskeys ? t.secondFactor.turnOffKeepsPasskeys : t.secondFactor.turnOffText}
      action={t.secondFactor.turnOff}
      error={remove.error}
      busy={remove.isPending}
      onSend={(password) =>
        remove.mutate(password, {
          onSuccess: () => {
            notify(t.secondFactor.turnedOff);
            onClose();
          },
        })
      }
      onClose={onClose}
    />
  );
}
