import { useState } from "react";
import type { EmailChangeDraft, Member } from "../../api/wire";
import { Button } from "../../components/Button";
import { CodeHint } from "../../components/CodeHint";
import { Field } from "../../components/Field";
import { Form, problemOf } from "../../components/Form";
import { type Factor, factorOf, SecondFactorFields } from "../../components/SecondFactorFields";
import { t } from "../../language/further";
import { notify } from "../../notices";
import {
  useBeginEmailChange,
  useConfirmEmailChange,
  useEmailAddress,
} from "../../queries/emailChange";
import { PasswordField } from "./PasswordField";
import { Section } from "./Section";

/** Change the address of the account. Until the response arrives, the form that most members get. */
export function EmailSection({ member }: { member: Member }) {
  const { data: address } = useEmailAddress();
  const [isRestarting, setRestarting] = useState(false);
  return (
    <Section title={t.email.title}>
      <p>
        {t.email.present(
          (email) => (
            <b>{email}</b>
          ),
          address?.email ?? member.email ?? "",
        )}
      </p>
      {address?.can_change === false ? (
        <p className="field-hint">{t.email.elsewhere}</p>
      ) : address?.pending && !isRestarting ? (
        <ConfirmForm pending={address.pending} onRestart={() => setRestarting(true)} />
      ) : (
        <BeginForm member={member} onBegun={() => setRestarting(false)} />
      )}
    </Section>
  );
}

function BeginForm({ member, onBegun }: { member: Member; onBegun: () => void }) {
  const begin = useBeginEmailChange();
  const [factor, setFactor] = useState<Factor>();
  const [tried, setTried] = useState<EmailChangeDraft>();
  const error = factorOf(begin.error) === undefined ? begin.error : null;

  function send(draft: EmailChangeDraft, usesPasskey: boolean) {
    setTried(draft);
    begin.mutate(
      { draft, usesPasskey },
      {
        onSuccess: onBegun,
        onError: (refusal) => setFactor((before) => factorOf(refusal) ?? before),
      },
    );
  }

  return (
    <Form
      label={t.email.title}
      fields={["email", "password", "code"]}
      error={error}
      onSend={(value) => {
        const code = value("code").trim();
        const draft = { email: value("email").trim(), password: value("password") };
        send(code === "" ? draft : { ...draft, code }, false);
      }}
    >
      <Field
        label={t.email.newAddress}
        name="email"
        type="email"
        autoComplete="email"
        problem={problemOf(begin.error, "email")}
      />
      <PasswordField member={member} error={begin.error} />
      {tried && factor !== undefined && (
        <SecondFactorFields
          factor={factor}
          error={error}
          isAnswering={begin.isPending}
          onPasskey={() => send({ email: tried.email, password: tried.password }, true)}
        />
      )}
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
