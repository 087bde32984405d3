import { type ReactNode, useState } from "react";
import { useNavigate } from "react-router";
import type { Member, Session } from "../api/wire";
import { Avatar } from "../components/Avatar";
import { Button } from "../components/Button";
import { Since } from "../components/Clock";
import { Counter } from "../components/Counter";
import { Dialog } from "../components/Dialog";
import { AreaField, Field } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { Icon } from "../components/Icon";
import { Skeleton } from "../components/List";
import { Members } from "../components/Members";
import { PageHead } from "../components/PageHead";
import { ProblemNote } from "../components/Problem";
import { FootLinks } from "../components/Sidebar";
import { notify } from "../notices";
import {
  useChangePassword,
  useDeleteAccount,
  useRevoke,
  useSessions,
  useSignOut,
} from "../queries/accounts";
import { useProfile } from "../queries/activities";
import { AVATAR_BYTES, AVATAR_TYPES, useUploadAvatar } from "../queries/avatars";
import { useMember } from "../queries/session";
import { useUpdateProfile } from "../queries/users";
import { BIO_CHARS, countChars, DISPLAY_NAME_CHARS } from "../text/chars";
import { describeDevice } from "../text/device";
import "./Settings.css";

/** What a member may change about themselves. */
export function Settings() {
  return (
    <>
      <PageHead title="Settings" />
      <Members why="to change your settings">
        <Parts />
      </Members>
    </>
  );
}

function Parts() {
  const member = useMember();
  if (member === null) {
    return null;
  }
  return (
    <div className="settings">
      <Picture member={member} />
      <ProfilePart member={member} />
      <PasswordPart member={member} />
      <Devices />
      <Leaving />
      <FootLinks />
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="settings-part" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Picture({ member }: { member: Member }) {
  const upload = useUploadAvatar();
  const [refusal, setRefusal] = useState<string>();
  const choose = (file: File) => {
    const wrong = !AVATAR_TYPES.includes(file.type)
      ? "Only JPEG, PNG, GIF and WebP pictures can be uploaded."
      : file.size > AVATAR_BYTES
        ? "That is too large. A picture can have at most 8 MiB."
        : undefined;
    setRefusal(wrong);
    if (wrong === undefined) {
      upload.mutate(file, { onSuccess: () => notify("That is you now.") });
    }
  };
  return (
    <Part title="Picture">
      <div className="settings-picture">
        <Avatar person={member} size="large" />
        <div>
          <label className="button button-outlined settings-file" aria-busy={upload.isPending}>
            <Icon name="camera" />
            <span>{upload.isPending ? "Uploading…" : "Choose a picture"}</span>
            <input
              className="unseen"
              type="file"
              accept={AVATAR_TYPES.join(",")}
              disabled={upload.isPending}
              onChange={(event) => {
                const file = event.target.files?.[0];
                event.target.value = ""; // the same file may be chosen again
                if (file) {
                  choose(file);
                }
              }}
            />
          </label>
          <p className="field-hint">JPEG, PNG, GIF or WebP, up to 8 MiB. Its middle is shown.</p>
        </div>
      </div>
      {refusal && (
        <p className="field-problem" role="alert">
          {refusal}
        </p>
      )}
      {upload.isError && <ProblemNote error={upload.error} />}
    </Part>
  );
}

function ProfilePart({ member }: { member: Member }) {
  const feed = useProfile(member.handle);
  const profile = feed.data?.pages[0]?.profile;
  return (
    <Part title="Profile">
      {profile ? (
        <ProfileForm name={profile.display_name} bio={profile.bio} />
      ) : feed.isError ? (
        <ProblemNote error={feed.error} retry={() => void feed.refetch()} />
      ) : (
        <Skeleton rows={1} />
      )}
    </Part>
  );
}

function ProfileForm({ name, bio }: { name: string; bio: string }) {
  const update = useUpdateProfile();
  const [draft, setDraft] = useState({ name, bio });
  return (
    <Form
      label="Profile"
      fields={["display_name", "bio"]}
      error={update.error}
      onSend={() =>
        update.mutate(
          { display_name: draft.name, bio: draft.bio },
          { onSuccess: () => notify("Your profile is saved.") },
        )
      }
    >
      <Field
        label="Name"
        name="display_name"
        autoComplete="name"
        value={draft.name}
        onChange={(event) => setDraft({ ...draft, name: event.target.value })}
        hint={<Counter count={countChars(draft.name)} most={DISPLAY_NAME_CHARS} />}
        problem={problemOf(update.error, "display_name")}
      />
      <AreaField
        label="Bio"
        name="bio"
        value={draft.bio}
        onChange={(event) => setDraft({ ...draft, bio: event.target.value })}
        hint={<Counter count={countChars(draft.bio)} most={BIO_CHARS} />}
        problem={problemOf(update.error, "bio")}
      />
      <Button type="submit" busy={update.isPending}>
        Save profile
      </Button>
    </Form>
  );
}

function PasswordPart({ member }: { member: Member }) {
  const change = useChangePassword();
  return (
    <Part title="Password">
      <Form
        label="Password"
        fields={["current_password", "password"]}
        error={change.error}
        onSend={(value, form) =>
          change.mutate(
            { current_password: value("current_password"), password: value("password") },
            {
              onSuccess: () => {
                form.reset();
                notify("Your password is changed. Other devices are signed out.");
              },
            },
          )
        }
      >
        {/* For password managers, which keep a password with its account's name. */}
        <input hidden readOnly autoComplete="username" value={member.handle} />
        <Field
          label="Current password"
          name="current_password"
          type="password"
          autoComplete="current-password"
          problem={problemOf(change.error, "current_password")}
        />
        <Field
          label="New password"
          name="password"
          type="password"
          autoComplete="new-password"
          hint="At least 10 characters. Other devices are signed out."
          problem={problemOf(change.error, "password")}
        />
        <Button type="submit" busy={change.isPending}>
          Change password
        </Button>
      </Form>
    </Part>
  );
}

function Devices() {
  const sessions = useSessions();
  return (
    <Part title="Devices">
      {sessions.data ? (
        <ul className="devices">
          {sessions.data.map((session) => (
            <Device key={session.uuid} session={session} />
          ))}
        </ul>
      ) : sessions.isError ? (
        <ProblemNote error={sessions.error} retry={() => void sessions.refetch()} />
      ) : (
        <Skeleton rows={1} />
      )}
    </Part>
  );
}

function Device({ session }: { session: Session }) {
  const revoke = useRevoke();
  const name = describeDevice(session.device);
  return (
    <li className="device">
      <Icon name="device" />
      <div>
        <p title={session.device}>
          <b>{name}</b> {session.current && <span className="device-this">this device</span>}
        </p>
        <p className="field-hint">
          {session.address} · used <Since time={session.used_at} /> · since{" "}
          <Since time={session.created_at} />
        </p>
      </div>
      {!session.current && (
        <Button
          look="outlined"
          busy={revoke.isPending}
          aria-label={`Sign out ${name}`}
          onClick={() => revoke.mutate(session, { onSuccess: () => notify("Signed out there.") })}
        >
          Sign out
        </Button>
      )}
      {revoke.isError && <ProblemNote error={revoke.error} />}
    </li>
  );
}

function Leaving() {
  const signOut = useSignOut();
  const navigate = useNavigate();
  const [isAsked, setAsked] = useState(false);
  return (
    <Part title="Leaving">
      <div className="account-row">
        <Button
          look="outlined"
          busy={signOut.isPending}
          onClick={() =>
            signOut.mutateAsync().then(
              () => void navigate("/"),
              () => undefined, // shown below
            )
          }
        >
          Sign out
        </Button>
        <Button look="danger" onClick={() => setAsked(true)}>
          Delete account…
        </Button>
      </div>
      {signOut.isError && <ProblemNote error={signOut.error} />}
      {isAsked && <DeleteDialog onClose={() => setAsked(false)} />}
    </Part>
  );
}

function DeleteDialog({ onClose }: { onClose: () => void }) {
  const remove = useDeleteAccount();
  const navigate = useNavigate();
  return (
    <Dialog title="Delete your account?" onClose={onClose}>
      <p>Your cruds, replies, reactions and messages go with it, at once and for good.</p>
      <Form
        label="Delete account"
        fields={["password"]}
        error={remove.error}
        onSend={(value) =>
          void remove.mutateAsync(value("password")).then(
            () => {
              notify("You are forgotten.");
              void navigate("/");
            },
            () => undefined, // shown by the form
          )
        }
      >
        <Field
          label="Your password"
          name="password"
          type="password"
          autoComplete="current-password"
          problem={problemOf(remove.error, "password")}
        />
        <div className="dialog-actions">
          <Button look="outlined" onClick={onClose}>
            Keep it
          </Button>
          <Button type="submit" look="danger" busy={remove.isPending}>
            Delete for good
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
