import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { useNavigate } from "react-router";
import type { ShortUser } from "../api/wire";
import { t } from "../language/further";
import { useUsersByPrefix } from "../queries/completion";
import { useMember } from "../queries/session";
import { useFindUser, useSuggested } from "../queries/users";
import { conversationAddress } from "../text/addresses";
import { hasCode } from "../text/errors";
import { Button } from "./Button";
import { Options, useActiveOption } from "./Completion";
import { Dialog } from "./Dialog";
import { Field } from "./Field";
import { Form } from "./Form";

/**
 * Choose the user to message, by handle or among people whose names begin with what is typed. The
 * field is a combobox with a list (https://www.w3.org/WAI/ARIA/apg/patterns/combobox/).
 */
export function NewMessage({ onClose }: { onClose: () => void }) {
  const id = useId();
  const navigate = useNavigate();
  const find = useFindUser();
  const [typed, setTyped] = useState("");
  const [dismissed, setDismissed] = useState<string>();
  const prefix = typed
    .trim()
    .replace(/^[@＠]/, "")
    .toLowerCase();
  const people = usePeople(prefix);
  const isOpen = people.length > 0 && dismissed !== prefix;
  const exact = people.findIndex(({ handle }) => handle === prefix);
  const first = prefix === "" ? -1 : Math.max(exact, 0);
  const { active, step } = useActiveOption(prefix, people.length, first);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const [isBlank, setBlank] = useState(false);
  const isUnknown = hasCode(find.error, "not_found");

  const accept = (index: number) => {
    const person = people[index];
    if (person !== undefined) {
      void navigate(conversationAddress(person));
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!isOpen || event.nativeEvent.isComposing) {
      return;
    }
    if (event.key === "Escape") {
      setDismissed(prefix);
    } else if (event.key === "Enter" && active >= 0) {
      accept(active);
    } else if (!step(event.key)) {
      return;
    }
    event.preventDefault(); // also keeps the dialog open
  };
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
          role="combobox"
          aria-autocomplete="list"
          aria-haspopup="listbox"
          aria-expanded={isOpen}
          aria-controls={isOpen ? id : undefined}
          aria-activedescendant={isOpen && active >= 0 ? `${id}-${active}` : undefined}
          onKeyDown={onKeyDown}
          onChange={(event) => setTyped(event.target.value)}
          problem={
            isBlank ? t.recipient.noHandle : isUnknown ? t.recipient.unknownHandle : undefined
          }
        />
        {isOpen && (
          <Options
            id={id}
            label={prefix === "" ? t.sidebar.suggested : t.search.people}
            options={people.map((person) => ({ word: person.handle, person }))}
            active={active}
            onAccept={accept}
          />
        )}
        <Button type="submit" busy={find.isPending}>
          {t.recipient.write}
        </Button>
      </Form>
    </Dialog>
  );
}

/** The people who can be meant; suggested people for an empty prefix. */
function usePeople(prefix: string): readonly ShortUser[] {
  const member = useMember();
  const { data: suggested = [] } = useSuggested();
  const { data: found = [], isPlaceholderData } = useUsersByPrefix(prefix === "" ? null : prefix);
  const shown = prefix === "" ? suggested : isPlaceholderData ? [] : found;
  return shown.filter(({ uuid }) => uuid !== member?.uuid);
}
