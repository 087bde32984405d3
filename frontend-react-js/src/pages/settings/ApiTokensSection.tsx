import { useId, useState } from "react";
import type { ApiToken, ApiTokenDraft, NewApiToken } from "../../api/wire";
import { Button } from "../../components/Button";
import { Ago, useIsPast } from "../../components/Clock";
import { Dialog } from "../../components/Dialog";
import { Field, FieldNotes, SelectField } from "../../components/Field";
import { Form, problemOf } from "../../components/Form";
import { Icon } from "../../components/Icon";
import { Skeleton } from "../../components/List";
import { ProblemNote } from "../../components/Problem";
import { t } from "../../language/further";
import { notify } from "../../notices";
import { useApiTokens, useCreateApiToken, useRevokeApiToken } from "../../queries/apiTokens";
import { shortTime } from "../../text/time";
import { KeepNote, Secret } from "./Secret";
import { Section } from "./Section";
import { useKeptOpen } from "./useKeptOpen";

type Scope = ApiTokenDraft["scopes"][number];
type Ttl = ApiTokenDraft["ttl"];

const SCOPES: readonly Scope[] = ["read", "write", "message"];
const TTLS: readonly Ttl[] = ["1-day", "7-days", "30-days", "90-days", "365-days"];

/** List the API tokens, create one, and revoke one. */
export function ApiTokensSection() {
  const tokens = useApiTokens();
  const [isCreating, setCreating] = useState(false);
  return (
    <Section title={t.apiTokens.title}>
      <p>{t.apiTokens.what}</p>
      {tokens.data ? (
        <ul className="devices">
          {tokens.data.map((token) => (
            <Token key={token.uuid} token={token} />
          ))}
        </ul>
      ) : tokens.isError ? (
        <ProblemNote error={tokens.error} retry={() => void tokens.refetch()} />
      ) : (
        <Skeleton rows={1} />
      )}
      <div className="account-row">
        <Button look="outlined" onClick={() => setCreating(true)}>
          {t.apiTokens.createMore}
        </Button>
      </div>
      {isCreating && <CreateDialog onClose={() => setCreating(false)} />}
    </Section>
  );
}

function Token({ token }: { token: ApiToken }) {
  const revoke = useRevokeApiToken();
  const id = useId();
  const isExpired = useIsPast(token.expires_at);
  return (
    <li className="device">
      <Icon name="key" />
      <div>
        <p>
          <b className="anywhere">{token.name}</b>
        </p>
        <p className="field-hint" id={id}>
          {token.scopes.map((scope) => t.apiTokens.scopes[scope]).join(", ")} ·{" "}
          {token.used_at === null
            ? t.apiTokens.unused
            : t.apiTokens.used(<Ago time={token.used_at} />)}{" "}
          · {isExpired ? t.apiTokens.expired : t.apiTokens.expires(shortTime(token.expires_at))}
        </p>
      </div>
      <Button
        look="outlined"
        busy={revoke.isPending}
        aria-label={t.apiTokens.revokeOne(token.name)}
        aria-describedby={id}
        onClick={() =>
          revoke.mutate(token, { onSuccess: () => notify(t.apiTokens.revoked(token.name)) })
        }
      >
        {t.apiTokens.revoke}
      </Button>
      {revoke.isError && <ProblemNote error={revoke.error} />}
    </li>
  );
}

function CreateDialog({ onClose }: { onClose: () => void }) {
  const [created, setCreated] = useState<NewApiToken | null>(null);
  const { close, isAsked } = useKeptOpen(created !== null, onClose);
  return (
    <Dialog
      title={created === null ? t.apiTokens.create : t.apiTokens.createdTitle}
      onClose={close}
    >
      {created === null ? (
        <CreateForm onCreated={setCreated} onClose={onClose} />
      ) : (
        <>
          <p>{t.apiTokens.copyNow}</p>
          <Secret label={t.apiTokens.token} text={created.token} hasFocus />
          <KeepNote isAsked={isAsked} />
          <div className="dialog-actions">
            <Button onClick={onClose}>{t.apiTokens.done}</Button>
          </div>
        </>
      )}
    </Dialog>
  );
}

function CreateForm({
  onCreated,
  onClose,
}: {
  onCreated: (token: NewApiToken) => void;
  onClose: () => void;
}) {
  const create = useCreateApiToken();
  const id = useId();
  const [scopes, setScopes] = useState<readonly Scope[]>(["read"]);
  const [ttl, setTtl] = useState<Ttl>("30-days");
  const scopesProblem = problemOf(create.error, "scopes");
  return (
    <Form
      label={t.apiTokens.create}
      fields={["token_name", "scopes"]}
      error={create.error}
      onSend={(value) =>
        create.mutate(
          { name: value("token_name"), scopes: [...scopes], ttl },
          { onSuccess: onCreated },
        )
      }
    >
      <Field
        label={t.apiTokens.name}
        name="token_name"
        autoComplete="off"
        maxLength={50}
        hint={t.apiTokens.nameHint}
        problem={problemOf(create.error, "token_name")}
      />
      <fieldset className="choices choices-column" aria-describedby={`${id}-problem ${id}-hint`}>
        <legend>{t.apiTokens.may}</legend>
        {SCOPES.map((scope) => (
          <label key={scope} className="choice">
            <input
              type="checkbox"
              checked={scopes.includes(scope)}
              onChange={(event) =>
                setScopes(
                  SCOPES.filter((one) =>
                    one === scope ? event.target.checked : scopes.includes(one),
                  ),
                )
              }
            />
            {t.apiTokens.scopeHints[scope]}
          </label>
        ))}
        <FieldNotes id={id} hint={undefined} problem={scopesProblem} />
      </fieldset>
      <SelectField
        label={t.apiTokens.ttl}
        value={ttl}
        options={TTLS.map((one) => [one, t.apiTokens.ttls[one]])}
        onChoose={setTtl}
      />
      <div className="dialog-actions">
        <Button look="outlined" onClick={onClose}>
          {t.crud.cancel}
        </Button>
        <Button type="submit" busy={create.isPending}>
          {t.apiTokens.create}
        </Button>
      </div>
    </Form>
  );
}
