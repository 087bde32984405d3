import { useId } from "react";
import type { Announcement, InstanceDraft, InstanceSettings, Invitation, Ttl } from "../api/wire";
import { Button } from "../components/Button";
import { AreaField, Field, SelectField } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { Empty, Skeleton } from "../components/List";
import { MembersOnly } from "../components/MembersOnly";
import { NeedsSecondFactor } from "../components/NeedsSecondFactor";
import { PageHead } from "../components/PageHead";
import { ProblemNote } from "../components/Problem";
import { t } from "../language/further";
import { notify } from "../notices";
import {
  useAnnounce,
  useChangeInstance,
  useDeleteAnnouncement,
  useInstanceSettings,
  useInvitations,
  useInvite,
  useRevokeInvitation,
} from "../queries/administration";
import { useInstance } from "../queries/instance";
import { useMember } from "../queries/session";
import { invitationLink } from "../text/addresses";
import { type FieldName, hasCode } from "../text/errors";
import { TTLS } from "../text/lifetimes";
import { shortTime } from "../text/time";
import { Secret } from "./settings/Secret";
import { Section } from "./settings/Section";
import "./Settings.css";
import "./Instance.css";

/** Where admins manage the instance: its settings, announcements and invitations. */
export function Instance() {
  const member = useMember();
  return (
    <>
      <PageHead title={t.instance.title} back="/moderation" />
      <MembersOnly why={t.instance.why}>
        {member?.role === "admin" ? (
          <Sections />
        ) : (
          <Empty title={t.instance.notYou}>
            <p>{t.instance.notYouHint}</p>
          </Empty>
        )}
      </MembersOnly>
    </>
  );
}

function Sections() {
  if (hasCode(useInstanceSettings().error, "second_factor_required")) {
    return <NeedsSecondFactor />;
  }
  return (
    <div className="settings">
      <AnnouncementsSection />
      <SettingsSection />
      <InvitationsSection />
    </div>
  );
}

function AnnouncementsSection() {
  const announcements = useInstance().data?.announcements ?? [];
  const announce = useAnnounce();
  return (
    <Section title={t.instance.announcements}>
      <ul className="instance-list">
        {announcements.map((one) => (
          <AnnouncementRow key={one.uuid} announcement={one} />
        ))}
      </ul>
      <Form
        label={t.instance.announce}
        fields={["message"]}
        error={announce.error}
        onSend={(value, form) =>
          announce.mutate(
            { message: value("message"), ttl: value("ttl") as Ttl },
            { onSuccess: () => form.reset() },
          )
        }
      >
        <AreaField
          label={t.instance.message}
          name="message"
          maxLength={500}
          hint={t.instance.announceHint}
          problem={problemOf(announce.error, "message")}
        />
        <Choice label={t.instance.expires} name="ttl" value="1-day" options={ttlOptions()} />
        <Button type="submit" busy={announce.isPending}>
          {t.instance.announce}
        </Button>
      </Form>
    </Section>
  );
}

function AnnouncementRow({ announcement }: { announcement: Announcement }) {
  const remove = useDeleteAnnouncement();
  const id = useId();
  return (
    <li className="instance-row">
      <div>
        <p className="as-written" id={id} dir="auto">
          {announcement.message}
        </p>
        <p className="field-hint">{t.instance.until(shortTime(announcement.expires_at))}</p>
      </div>
      <Button
        look="outlined"
        busy={remove.isPending}
        aria-describedby={id}
        onClick={() => remove.mutate(announcement.uuid)}
      >
        {t.instance.delete}
      </Button>
    </li>
  );
}

function SettingsSection() {
  const settings = useInstanceSettings();
  return (
    <Section title={t.instance.settings}>
      {settings.data ? (
        <SettingsForm settings={settings.data} />
      ) : settings.isError ? (
        <ProblemNote error={settings.error} retry={() => void settings.refetch()} />
      ) : (
        <Skeleton rows={3} />
      )}
    </Section>
  );
}

const SETTINGS = [
  "name",
  "description",
  "rules",
  "sign_up_mode",
  "blocked_domains",
  "default_ttl",
  "max_ttl",
  "evidence_days",
] as const;

function SettingsForm({ settings }: { settings: InstanceSettings }) {
  const change = useChangeInstance();
  const problem = (name: FieldName) => problemOf(change.error, name);
  return (
    <Form
      label={t.instance.settings}
      fields={SETTINGS}
      error={change.error}
      onSend={(_, form) =>
        change.mutate(changes(settings, new FormData(form)), {
          onSuccess: () => notify(t.instance.saved),
        })
      }
    >
      <Field
        label={t.instance.name}
        name="name"
        maxLength={50}
        defaultValue={settings.name}
        problem={problem("name")}
      />
      <AreaField
        label={t.instance.description}
        name="description"
        maxLength={500}
        defaultValue={settings.description}
        hint={t.instance.descriptionHint}
        problem={problem("description")}
      />
      <AreaField
        label={t.instance.rules}
        name="rules"
        rows={8}
        maxLength={5000}
        defaultValue={settings.rules}
        hint={t.instance.rulesHint}
        problem={problem("rules")}
      />
      <label className="choice" key={settings.terms_version}>
        <input type="checkbox" name="new_terms" />
        {t.instance.newTerms(settings.terms_version)}
      </label>
      <Choice
        label={t.instance.signUp}
        name="sign_up_mode"
        value={settings.sign_up_mode}
        options={t.instance.modes}
        problem={problem("sign_up_mode")}
      />
      <AreaField
        label={t.instance.blockedDomains}
        name="blocked_domains"
        spellCheck={false}
        defaultValue={settings.blocked_domains.join("\n")}
        key={settings.blocked_domains.join()}
        hint={t.instance.blockedDomainsHint}
        problem={problem("blocked_domains")}
      />
      <Choice
        label={t.instance.defaultTtl}
        name="default_ttl"
        value={settings.default_ttl}
        options={ttlOptions()}
        problem={problem("default_ttl")}
      />
      <Choice
        label={t.instance.maxTtl}
        name="max_ttl"
        value={settings.max_ttl}
        options={ttlOptions()}
        problem={problem("max_ttl")}
      />
      <Field
        label={t.instance.evidenceDays}
        name="evidence_days"
        type="number"
        min={1}
        max={365}
        defaultValue={settings.evidence_days}
        hint={t.instance.evidenceDaysHint}
        problem={problem("evidence_days")}
      />
      <Button type="submit" busy={change.isPending}>
        {t.instance.save}
      </Button>
    </Form>
  );
}

/** What the form changes. Other settings stay as they are, so that two admins can work at once. */
function changes(settings: InstanceSettings, form: FormData): Partial<InstanceDraft> {
  const text = (name: string) => String(form.get(name) ?? "").replaceAll("\r\n", "\n");
  const entered = {
    name: text("name").trim(),
    description: text("description").trim(),
    rules: text("rules").trim(),
    sign_up_mode: text("sign_up_mode") as InstanceSettings["sign_up_mode"],
    default_ttl: text("default_ttl") as Ttl,
    max_ttl: text("max_ttl") as Ttl,
    evidence_days: Number(text("evidence_days")),
    blocked_domains: text("blocked_domains").split(/\s+/).filter(Boolean),
  };
  const differs = ([name, value]: [string, unknown]) =>
    String(value) !== String(settings[name as keyof typeof entered]);
  return {
    ...Object.fromEntries(Object.entries(entered).filter(differs)),
    ...(form.has("new_terms") && { new_terms: true }),
  };
}

function InvitationsSection() {
  const invitations = useInvitations();
  const invite = useInvite();
  return (
    <Section title={t.instance.invitations}>
      <p>{t.instance.invitationsHint}</p>
      {invitations.isError && (
        <ProblemNote error={invitations.error} retry={() => void invitations.refetch()} />
      )}
      <ul className="instance-list">
        {invitations.data?.map((one) => (
          <InvitationRow key={one.uuid} invitation={one} />
        ))}
      </ul>
      <Form
        label={t.instance.invite}
        fields={["max_uses", "days"]}
        error={invite.error}
        onSend={(value, form) =>
          invite.mutate({
            max_uses: Number(new FormData(form).get("max_uses")),
            days: Number(value("days")),
          })
        }
      >
        <Field
          label={t.instance.maxUses}
          name="max_uses"
          type="number"
          min={1}
          max={1000}
          defaultValue={1}
          problem={problemOf(invite.error, "max_uses")}
        />
        <Field
          label={t.instance.days}
          name="days"
          type="number"
          min={1}
          max={365}
          defaultValue={7}
          problem={problemOf(invite.error, "days")}
        />
        <Button type="submit" busy={invite.isPending}>
          {t.instance.invite}
        </Button>
      </Form>
    </Section>
  );
}

function InvitationRow({ invitation }: { invitation: Invitation }) {
  const revoke = useRevokeInvitation();
  const id = useId();
  const { code, uses, max_uses, expires_at } = invitation;
  return (
    <li className="instance-row">
      <div>
        <Secret label={t.instance.link} text={invitationLink(code)} />
        <p className="field-hint" id={id}>
          {t.instance.used(uses, max_uses)} · {t.instance.until(shortTime(expires_at))}
        </p>
      </div>
      <Button
        look="outlined"
        busy={revoke.isPending}
        aria-describedby={id}
        onClick={() => revoke.mutate(invitation)}
      >
        {t.instance.revoke}
      </Button>
    </li>
  );
}

/** A list to choose from. It starts again when the value that it begins with changes. */
function Choice<Value extends string>({
  label,
  name,
  value,
  options,
  problem,
}: {
  label: string;
  name: string;
  value: Value;
  options: Readonly<Record<Value, string>>;
  problem?: string | undefined;
}) {
  return (
    <SelectField
      key={value}
      label={label}
      name={name}
      defaultValue={value}
      options={Object.entries(options) as [Value, string][]}
      problem={problem}
    />
  );
}

function ttlOptions(): Record<Ttl, string> {
  return Object.fromEntries(TTLS.map((ttl) => [ttl, t.lifetimes[ttl]])) as Record<Ttl, string>;
}
