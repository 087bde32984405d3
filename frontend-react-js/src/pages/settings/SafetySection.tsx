import type { ReactNode } from "react";
import type { MessagePolicy, MutedUser, ShortUser } from "../../api/wire";
import { Avatar } from "../../components/Avatar";
import { Button } from "../../components/Button";
import { More, Skeleton } from "../../components/List";
import { ProblemNote } from "../../components/Problem";
import { t } from "../../language/further";
import { notify } from "../../notices";
import { rowsOf } from "../../queries/paging";
import { type List, useHiddenPeople, usePolicy, useSetPolicy, useShow } from "../../queries/safety";
import { shortTime } from "../../text/time";
import { Section } from "./Section";

const POLICIES: readonly MessagePolicy[] = ["everyone", "following", "nobody"];

/** Who may message the member, and whom the member mutes and blocks. */
export function SafetySection() {
  return (
    <>
      <MessagesSection />
      <PeopleSection
        list="mutes"
        title={t.safety.mutedPeople}
        none={t.safety.noneMuted}
        undo={t.safety.unmute}
        undone={t.safety.unmuted}
      />
      <PeopleSection
        list="blocks"
        title={t.safety.blockedPeople}
        none={t.safety.noneBlocked}
        undo={t.safety.unblock}
        undone={t.safety.unblocked}
      />
    </>
  );
}

function MessagesSection() {
  const policy = usePolicy();
  const set = useSetPolicy();
  return (
    <Section title={t.messages.title}>
      {policy.data ? (
        <fieldset className="choices" aria-describedby="policy-hint">
          <legend>{t.safety.whoMessages}</legend>
          {POLICIES.map((one) => (
            <label key={one} className="choice">
              <input
                type="radio"
                name="policy"
                checked={policy.data.policy === one}
                onChange={() => set.mutate(one)}
              />
              {t.safety.policies[one]}
            </label>
          ))}
        </fieldset>
      ) : policy.isError ? (
        <ProblemNote error={policy.error} retry={() => void policy.refetch()} />
      ) : (
        <Skeleton rows={1} />
      )}
      <p className="field-hint" id="policy-hint">
        {t.safety.policyHint}
      </p>
    </Section>
  );
}

function PeopleSection({
  list,
  title,
  none,
  undo,
  undone,
}: {
  list: List;
  title: string;
  none: string;
  undo: string;
  undone: (handle: string) => string;
}) {
  const query = useHiddenPeople(list);
  const show = useShow(list);
  const people = rowsOf<ShortUser | MutedUser>(query.data);
  return (
    <Section title={title}>
      {query.data ? (
        people.length === 0 ? (
          <p className="field-hint">{none}</p>
        ) : (
          <ul className="devices">
            {people.map((person) => (
              <li key={person.uuid} className="device">
                <Avatar person={person} size="small" />
                <div>
                  <p>
                    <b>
                      <bdi>{person.display_name}</bdi>
                    </b>{" "}
                    <span className="device-handle">@{person.handle}</span>
                  </p>
                  <MutedUntil person={person} />
                </div>
                <Button
                  look="outlined"
                  aria-label={`${undo} @${person.handle}`}
                  busy={show.isPending && show.variables.handle === person.handle}
                  onClick={() =>
                    show.mutate(person, { onSuccess: () => notify(undone(person.handle)) })
                  }
                >
                  {undo}
                </Button>
              </li>
            ))}
          </ul>
        )
      ) : query.isError ? (
        <ProblemNote error={query.error} retry={() => void query.refetch()} />
      ) : (
        <Skeleton rows={1} />
      )}
      {query.hasNextPage && <More query={query} />}
    </Section>
  );
}

function MutedUntil({ person }: { person: ShortUser | MutedUser }): ReactNode {
  return (
    "ends_at" in person &&
    person.ends_at !== null && (
      <p className="field-hint">{t.safety.mutedUntil(shortTime(person.ends_at))}</p>
    )
  );
}
