import { useState } from "react";
import type { Member } from "../../api/wire";
import { Button } from "../../components/Button";
import { Counter } from "../../components/Counter";
import { AreaField, Field } from "../../components/Field";
import { Form, problemOf } from "../../components/Form";
import { ProblemNote } from "../../components/Problem";
import { t } from "../../language/further";
import { notify } from "../../notices";
import { useProfile } from "../../queries/activities";
import { useUpdateProfile } from "../../queries/users";
import { BIO_CHARS, countChars, DISPLAY_NAME_CHARS } from "../../text/chars";
import { Section } from "./Section";

/** Change the name and the bio. */
export function ProfileSection({ member }: { member: Member }) {
  const feed = useProfile(member.handle);
  const profile = feed.data?.pages[0]?.profile;
  return (
    <Section title={t.settings.profile}>
      {feed.isError && profile === undefined ? (
        <ProblemNote error={feed.error} retry={() => void feed.refetch()} />
      ) : (
        <ProfileForm
          key={profile?.uuid}
          name={profile?.display_name ?? member.display_name}
          bio={profile?.bio ?? ""}
          isLoading={profile === undefined}
        />
      )}
    </Section>
  );
}

/** The form; while the profile is loading, it keeps the place of its fields. */
function ProfileForm({ name, bio, isLoading }: { name: string; bio: string; isLoading: boolean }) {
  const update = useUpdateProfile();
  const [draft, setDraft] = useState({ name, bio });
  return (
    <Form
      label={t.settings.profile}
      fields={["display_name", "bio"]}
      error={update.error}
      onSend={() =>
        update.mutate(
          { display_name: draft.name, bio: draft.bio },
          { onSuccess: () => notify(t.settings.profileSaved) },
        )
      }
    >
      <Field
        label={t.accountPage.name}
        name="display_name"
        autoComplete="name"
        value={draft.name}
        disabled={isLoading}
        onChange={(event) => setDraft({ ...draft, name: event.target.value })}
        hint={<Counter count={countChars(draft.name)} max={DISPLAY_NAME_CHARS} />}
        problem={problemOf(update.error, "display_name")}
      />
      <AreaField
        label={t.settings.bio}
        name="bio"
        value={draft.bio}
        disabled={isLoading}
        onChange={(event) => setDraft({ ...draft, bio: event.target.value })}
        hint={<Counter count={countChars(draft.bio)} max={BIO_CHARS} />}
        problem={problemOf(update.error, "bio")}
      />
      <Button type="submit" busy={isLoading || update.isPending}>
        {t.settings.saveProfile}
      </Button>
    </Form>
  );
}
