import { useEffect, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { t } from "../language/further";
import { useUsersByPrefix } from "../queries/completion";
import { useMember } from "../queries/session";
import { useFindUser, useSuggested } from "../queries/users";
import { conversationAddress } from "../text/addresses";
import { hasCode } from "../text/errors";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Field } from "./Field";
import { Form } from "./Form";
import { PersonLink } from "./PersonLink";

/** Choose the user to message, by handle or among the suggested people. */
export function NewMessage({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const find = useFindUser();
  const member = useMember();
  const { data: suggested = [] } = useSuggested();
  const [typed, setTyped] = useState("");
  const prefix = typed.trim().replace(/^[@＠]/, "");
  const { data: completions = [] } = useUsersByPrefix(prefix === "" ? null : prefix);
  const shown = prefix === "" ? suggested : completions;
  const people = shown.filter(({ uuid }) => uuid !== member?.uuid);
  const title = prefix === "" ? t.sidebar.suggested : t.search.people;
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const [isBlank, setBlank] = useState(false);
  const isUnknown = hasCode(find.error, "not_found");
  return (
    <Dialog title={t.newMessage.title} onClose={onClose}>
      <Form
        label={t.newMessage.title}
        fields={["handle"]}
        error={isUnknown ? null : find.error}
        onSend={(value) => {
          const handle = value("handle").trim().replace(/^@/, "");
          setBlank(handle === "");
          field.current?.focus();
          if (handle !== "") {
            find.mutate(handle, {
              onSuccess: (person) => void navigate(conversationAddress(person)),
            });
          }
        }}
      >
        <Field
          ref={field}
          label={t.recipient.to}
          name="handle"
          placeholder={t.recipient.toPlaceholder}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          onChange={(event) => setTyped(event.target.value)}
          problem={
            isBlank ? t.recipient.noHandle : isUnknown ? t.recipient.unknownHandle : undefined
          }
        />
        <Button type="submit" busy={find.isPending}>
          {t.recipient.write}
        </Button>
      </Form>
      {people.length > 0 && (
        <section aria-label={title}>
          <h3>{title}</h3>
          <ul>
            {people.map((person) => (
              <li key={person.uuid}>
                <PersonLink person={person} to={conversationAddress(person)} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </Dialog>
  );
}
