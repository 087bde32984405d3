import { useEffect, useState } from "react";
import { Link, useSearchParams } from "react-router";
import type {
  AccountHistory,
  Case,
  CasePage,
  Decision,
  DecisionDraft,
  StoredEvidence,
} from "../api/wire";
import { serverNow } from "../clock";
import { Button } from "../components/Button";
import { Since } from "../components/Clock";
import { AreaField, Field, SelectField } from "../components/Field";
import { Form, problemOf } from "../components/Form";
import { Empty, PagedList, Skeleton } from "../components/List";
import { MembersOnly } from "../components/MembersOnly";
import { NeedsSecondFactor } from "../components/NeedsSecondFactor";
import { PageHead } from "../components/PageHead";
import { ProblemNote } from "../components/Problem";
import { t } from "../language/further";
import { notify } from "../notices";
import { useDownload } from "../queries/downloads";
import { useCase, useCases, useDecide, useDecideAppeal } from "../queries/moderation";
import { rowsOf } from "../queries/paging";
import { useMember } from "../queries/session";
import { profileAddress } from "../text/addresses";
import { hasCode } from "../text/errors";
import { shortTime } from "../text/time";
import "./Moderation.css";

/** The queue of moderators, and a case with its evidence and decisions. */
export function Moderation() {
  const [search] = useSearchParams();
  const uuid = search.get("case");
  const member = useMember();
  return (
    <>
      <PageHead title={t.moderation.title} {...(uuid === null ? {} : { back: "/moderation" })}>
        {member?.role === "admin" && uuid === null && (
          <Link className="button button-outlined" to="/instance">
            {t.instance.title}
          </Link>
        )}
      </PageHead>
      <MembersOnly why={t.moderation.why}>
        {member?.role === "member" ? (
          <Empty title={t.moderation.notYou}>
            <p>{t.moderation.notYouHint}</p>
          </Empty>
        ) : uuid === null ? (
          <>
            {member?.role === "admin" && <AuditLog />}
            <Queue />
          </>
        ) : (
          <OpenCase key={uuid} uuid={uuid} />
        )}
      </MembersOnly>
    </>
  );
}

/** Downloads of the audit log, which only admins may read. */
function AuditLog() {
  const lines = useDownload("auditLines");
  const table = useDownload("auditTable");
  return (
    <details className="audit">
      <summary>{t.moderation.audit}</summary>
      <p>{t.moderation.auditHint}</p>
      <div className="audit-files">
        <Button look="outlined" busy={lines.isPending} onClick={() => lines.mutate(AUDIT_FILE)}>
          {t.moderation.auditLines}
        </Button>
        <Button look="outlined" busy={table.isPending} onClick={() => table.mutate(AUDIT_FILE)}>
          {t.moderation.auditTable}
        </Button>
      </div>
    </details>
  );
}

const AUDIT_FILE = "cruddur-audit";

function Queue() {
  const query = useCases();
  const cases = rowsOf(query.data);
  if (hasCode(query.error, "second_factor_required")) {
    return <NeedsSecondFactor />;
  }
  return (
    <PagedList query={query}>
      <ul>
        {cases.map((one) => (
          <li key={one.uuid}>
            <Link className="case-row" to={`/moderation?case=${one.uuid}`}>
              <span className="case-head">
                <b>{caseTitle(one)}</b>
                <CaseState about={one} />
                <Since time={one.opened_at} />
              </span>
              <span className="field-hint">{categories(one)}</span>
            </Link>
          </li>
        ))}
      </ul>
      {cases.length === 0 && (
        <Empty title={t.moderation.empty}>
          <p>{t.moderation.emptyHint}</p>
        </Empty>
      )}
    </PagedList>
  );
}

function caseTitle({ kind, user }: Case): string {
  return t.moderation.subject[kind](user === null ? null : `@${user.handle}`);
}

function CaseState({ about: { is_open, has_appeal } }: { about: Case }) {
  if (!is_open && !has_appeal) {
    return <span className="field-hint">{t.moderation.closed}</span>;
  }
  return <span className="chip">{has_appeal ? t.moderation.appealed : t.moderation.open}</span>;
}

/** The categories of the reports, each once. */
function categories(one: Case): string {
  const names: Record<string, string> = t.report.categories;
  return [...new Set(one.categories)].map((category) => names[category] ?? category).join(", ");
}

function OpenCase({ uuid }: { uuid: string }) {
  const opened = useCase(uuid);
  const first = opened.data?.pages[0]?.body;
  if (hasCode(opened.error, "second_factor_required")) {
    return <NeedsSecondFactor />;
  }
  if (opened.isError && !opened.isFetchNextPageError) {
    return (
      <div className="list-note">
        <ProblemNote error={opened.error} retry={() => void opened.refetch()} />
      </div>
    );
  }
  if (first === undefined) {
    return <Skeleton />;
  }
  const { case: about, reports, account, can_act } = first;
  const evidence = opened.data?.pages.flatMap((part) => part.body.evidence) ?? [];
  return (
    <div className="case">
      <section aria-label={t.moderation.evidence}>
        <div className="case-head">
          <h2>{caseTitle(about)}</h2>
          <CaseState about={about} />
        </div>
        {evidence.map((one) => (
          <EvidenceCard key={one.uuid} stored={one} />
        ))}
        {evidence.length === 0 && <p>{t.moderation.noEvidence}</p>}
        {opened.hasNextPage && (
          <Button
            look="outlined"
            busy={opened.isFetchingNextPage}
            onClick={() => void opened.fetchNextPage()}
          >
            {t.moderation.earlier}
          </Button>
        )}
        {opened.isFetchNextPageError && <ProblemNote error={opened.error} />}
      </section>
      <section aria-label={t.moderation.reports}>
        <h2>{t.moderation.reports}</h2>
        <ul className="case-list">
          {reports.map((one) => (
            <li key={one.uuid}>
              <p className="case-head">
                <Person handle={one.handle} />
                <span className="field-hint">
                  {(t.report.categories as Record<string, string>)[one.category]} ·{" "}
                  {shortTime(one.created_at)}
                </span>
              </p>
              {one.words !== "" && <p dir="auto">{one.words ?? t.moderation.unreadable}</p>}
            </li>
          ))}
        </ul>
      </section>
      {account && <History account={account} canAct={can_act} />}
      {can_act ? <DecisionForm opened={first} /> : <p>{t.moderation.cannotAct}</p>}
    </div>
  );
}

function EvidenceCard({ stored: { content, created_at, expires_at } }: { stored: StoredEvidence }) {
  return (
    <article className="evidence">
      {content === null ? (
        <p>{t.moderation.unreadable}</p>
      ) : (
        <>
          <div className="evidence-who">
            {content.avatar !== null && <Jpeg base64={content.avatar} alt="" />}
            <p>
              <b dir="auto">{content.display_name}</b> @{content.handle}
              <br />
              <span dir="auto">{content.bio}</span>
            </p>
          </div>
          {content.context.length > 0 ? (
            <ol className="evidence-context" aria-label={t.moderation.context}>
              {inOrder(content).map((line) => (
                <li key={line.uuid}>
                  <b>@{line.handle}</b>{" "}
                  <time className="field-hint" dateTime={line.created_at}>
                    {shortTime(line.created_at)}
                  </time>
                  {line.uuid === content.uuid ? (
                    <>
                      {" "}
                      <span className="chip">{t.moderation.reported}</span>
                      <blockquote dir="auto">{line.message}</blockquote>
                    </>
                  ) : (
                    <>
                      <br />
                      <bdi>{line.message}</bdi>
                    </>
                  )}
                </li>
              ))}
            </ol>
          ) : (
            content.message !== null && <blockquote dir="auto">{content.message}</blockquote>
          )}
          {content.pictures.map((picture, place) =>
            picture.jpeg === null ? (
              // biome-ignore lint/suspicious/noArrayIndexKey: evidence never changes.
              <p key={place}>{t.moderation.noPicture}</p>
            ) : (
              // biome-ignore lint/suspicious/noArrayIndexKey: evidence never changes.
              <Jpeg key={place} base64={picture.jpeg} alt={picture.alt} />
            ),
          )}
          <p className="field-hint">
            {t.moderation.written(shortTime(content.created_at))}
            {content.was_deleted && ` ${t.moderation.wasDeleted}`}
          </p>
        </>
      )}
      <p className="field-hint">
        {t.moderation.taken(shortTime(created_at), shortTime(expires_at))}
      </p>
    </article>
  );
}

type Evidence = NonNullable<StoredEvidence["content"]>;

/** What was reported among the messages around it, the oldest first. */
function inOrder(content: Evidence): Evidence["context"] {
  const { uuid, handle, display_name, message, created_at } = content;
  const reported = message === null ? [] : [{ uuid, handle, display_name, message, created_at }];
  return [...content.context, ...reported].toSorted(
    (one, other) => Date.parse(one.created_at) - Date.parse(other.created_at),
  );
}

/** A picture that is part of a response. Its address is valid for this page alone. */
function Jpeg({ base64, alt }: { base64: string; alt: string }) {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const made = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [base64]);
  return address === undefined ? null : <img src={address} alt={alt} />;
}

function Person({ handle }: { handle: string }) {
  return <Link to={profileAddress({ handle })}>@{handle}</Link>;
}

function History({ account, canAct }: { account: AccountHistory; canAct: boolean }) {
  return (
    <section aria-label={t.moderation.history}>
      <h2>{t.moderation.history}</h2>
      <p className="case-head">
        <Person handle={account.user.handle} />
        {account.is_suspended && (
          <span className="chip">
            {account.suspended_until === null
              ? t.moderation.banned
              : t.notices.until(shortTime(account.suspended_until))}
          </span>
        )}
        {account.limited_until && (
          <span className="chip">
            {t.moderation.limitedUntil(shortTime(account.limited_until))}
          </span>
        )}
        <span className="field-hint">
          {t.moderation.joined(shortTime(account.joined_at), account.cases_count)}
        </span>
      </p>
      <ul className="case-list">
        {account.decisions.map((one) => (
          <li key={one.uuid}>
            <p className="case-head">
              <b>{t.moderation.made[one.kind]}</b>
              <span className="field-hint">
                {one.actor_handle !== null && `@${one.actor_handle} · `}
                {shortTime(one.created_at)}
              </span>
            </p>
            <p dir="auto">{one.reason}</p>
            {one.appeal !== null && <Appeal decision={one} canAct={canAct} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Appeal({ decision, canAct }: { decision: Decision; canAct: boolean }) {
  const decide = useDecideAppeal(decision.uuid);
  return (
    <div className="evidence">
      <p>
        <b>{t.moderation.appeal}</b> <bdi>{decision.appeal}</bdi>
      </p>
      {decision.decision !== null ? (
        <p className="field-hint">
          {t.notices.appeals[decision.decision]} <bdi>{decision.decision_reason}</bdi>
        </p>
      ) : (
        canAct && (
          <Form
            label={t.moderation.decideAppeal}
            fields={["reason"]}
            error={decide.error}
            onSend={(value) =>
              decide.mutate({
                decision: value("decision") as "upheld" | "overturned",
                reason: value("reason"),
              })
            }
          >
            <SelectField
              label={t.moderation.decision}
              name="decision"
              options={[
                ["upheld", t.moderation.uphold],
                ["overturned", t.moderation.overturn],
              ]}
            />
            <AreaField
              label={t.moderation.reason}
              name="reason"
              maxLength={1000}
              hint={t.moderation.reasonHint}
              problem={problemOf(decide.error, "reason")}
            />
            <Button type="submit" busy={decide.isPending}>
              {t.moderation.decideAppeal}
            </Button>
          </Form>
        )
      )}
    </div>
  );
}

/** Whether a reported crud can still be there: its copies say when it expires or that it was deleted. */
function canBeRemoved({ case: about, account, evidence }: CasePage): boolean {
  return (
    about.kind === "crud" &&
    !evidence.some(
      ({ content }) =>
        content?.was_deleted ||
        (content?.expires_at && Date.parse(content.expires_at) <= serverNow()),
    ) &&
    !account?.decisions.some((one) => one.kind === "remove_crud" && one.case_uuid === about.uuid)
  );
}

/** The decisions that suit a case. */
function kindsFor(opened: CasePage): DecisionDraft["kind"][] {
  const { case: about, account } = opened;
  return [
    ...(about.closed_at === null ? (["dismiss"] as const) : []),
    ...(account === null ? [] : (["warn"] as const)),
    ...(canBeRemoved(opened) ? (["remove_crud"] as const) : []),
    ...(account === null ? [] : (["limit", "suspend", "ban"] as const)),
    ...(account?.is_suspended || account?.limited_until ? (["lift"] as const) : []),
  ];
}

function DecisionForm({ opened }: { opened: CasePage }) {
  const decide = useDecide(opened.case.uuid);
  const kinds = kindsFor(opened);
  const [chosen, setChosen] = useState<DecisionDraft["kind"]>();
  const kind = chosen !== undefined && kinds.includes(chosen) ? chosen : kinds[0];
  const hasDays = kind === "limit" || kind === "suspend";
  return kind === undefined ? null : (
    <section aria-label={t.moderation.decide}>
      <h2>{t.moderation.decide}</h2>
      <Form
        key={opened.account?.decisions.length}
        label={t.moderation.decide}
        fields={["days", "reason"]}
        error={decide.error}
        onSend={(value) =>
          decide.mutate(
            {
              kind,
              reason: value("reason"),
              again: opened.case.closed_at !== null,
              ...(hasDays ? { days: Number(value("days")) } : {}),
            },
            { onSuccess: () => notify(t.moderation.decided) },
          )
        }
      >
        <SelectField
          label={t.moderation.decision}
          value={kind}
          options={kinds.map((one) => [one, t.moderation.kinds[one]])}
          onChoose={setChosen}
        />
        {kind === "limit" && <p className="field-hint">{t.moderation.limitHint}</p>}
        {hasDays && (
          <Field
            label={t.moderation.days}
            name="days"
            type="number"
            min={1}
            max={365}
            defaultValue={7}
            problem={problemOf(decide.error, "days")}
          />
        )}
        <AreaField
          label={t.moderation.reason}
          name="reason"
          maxLength={1000}
          hint={kind === "dismiss" ? t.moderation.dismissHint : t.moderation.reasonHint}
          problem={problemOf(decide.error, "reason")}
        />
        <Button
          type="submit"
          look={kind === "dismiss" || kind === "lift" ? "filled" : "danger"}
          busy={decide.isPending}
        >
          {t.moderation.kinds[kind]}
        </Button>
      </Form>
    </section>
  );
}
