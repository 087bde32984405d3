import { useState } from "react";
import type { Member } from "../../api/wire";
import { Button } from "../../components/Button";
import { CodeField } from "../../components/CodeField";
import { CodeHint } from "../../components/CodeHint";
import { Field } from "../../components/Field";
import { Form, problemOf } from "../../components/Form";
import { t } from "../../language/further";
import { notify } from "../../notices";
import {
  useBeginEmailChange,
  useConfirmEmailChange,
  useEmailAddress,
} from "../../queries/emailChange";
import { hasCode } from "../../text/errors";
import { Section } from "./Section";

/** Change the address of the account. */
export function EmailSection({ member }: { member: Member }) {
  const { data: address } = useEmailAddress();
  const [isRestarting, setRestarting] = useState(false);
  if (address === undefined || !address.can_change) {
    return null;
  }
  return (
    <Section title={t.email.title}>
      <p>
        {t.email.present(
          (email) => (
            <b>{email}</b>
          ),
          address.email ?? "",
        )}
      </p>
      {address.pending !== null && !isRestarting ? (
        <ConfirmForm pending={address.pending} onRestart={() => setRestarting(true)} />
      ) : (
        <BeginForm member={member} onBegun={() => setRestarting(false)} />
      )}
    </Section>
  );
}

function BeginForm({ member, onBegun }: { member: Member; onBegun: () => void }) {
  const begin = useBeginEmailChange();
  const [needsCode, setNeedsCode] = useState(false);
  const isAsking = hasCode(begin.error, "code_required");
  return (
    <Form
      label={t.email.title}
      fields={["email", "password", "code"]}
      error={isAsking ? null : begin.error}
      onSend={(value) =>
        begin.mutate(
          {
            email: value("email").trim(),
            password: value("password"),
            ...(needsCode && { code: value("code").trim() }),
          },
          {
            onSuccess: onBegun,
            onError: (error) => setNeedsCode((was) => was || hasCode(error, "code_required")),
          },
        )
      }
    >
      <input hidden readOnly autoComplete="username" value={member.handle} />
      <Field
        label={t.email.newAddress}
        name="email"
        type="email"
        autoComplete="email"
        problem={problemOf(begin.error, "email")}
      />
      <Field
        label={t.settings.yourPassword}
        name="password"
        type="password"
        autoComplete="current-password"
        problem={problemOf(begin.error, "password")}
      />
      {needsCode && <CodeField error={isAsking ? null : begin.error} />}
      <Button type="submit" busy={begin.isPending}>
        {t.email.begin}
      </Button>
    </Form>
  );
}

function ConfirmForm({ pending, onRestart }: { pending: string; onRestart: () => void }) {
  const confirm = useConfirmEmailChange();
  return (
    <Form
      label={t.email.confirmTitle}
      fields={["code"]}
      error={confirm.error}
      onSend={(value) =>
        // The form is gone by then, so its callbacks would not be called.
        void confirm.mutateAsync(value("code").trim()).then(
          () => notify(t.email.changed),
          () => undefined, // shown by the form
        )
      }
    >
      <CodeHint mailed={t.email.mailed(pending)} printed={t.email.printed(pending)} />
      <p>{t.email.canBeStopped}</p>
      <Field
        label={t.email.code}
        name="code"
        inputMode="numeric"
        autoComplete="one-time-code"
        problem={problemOf(confirm.error, "code")}
      />
      <div className="account-row">
        <Button type="submit" busy={confirm.isPending}>
          {t.email.confirm}
        </Button>
        <Button look="outlined" onClick={onRestart}>
          {t.email.other}
        </Button>
      </div>
    </Form>
  );
}
