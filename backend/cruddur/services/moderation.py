"""Rules for moderators: the queue, evidence, decisions, appeals, roles and the audit log.

Each look at evidence and each decision is recorded in the audit log, in the same transaction.
"""

import csv
import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from cruddur.db import moderation as db
from cruddur.db import sessions as sessions_db
from cruddur.db.statements import Connection
from cruddur.errors import ForbiddenError, InvalidError, NotFoundError
from cruddur.identity.viewer import RANKS, Viewer, require_open_session
from cruddur.services.evidence import EvidenceSealer
from cruddur.services.paging import Page, page, time_cursor
from cruddur.services.users import fold_handle
from cruddur.telemetry.operation import current_operation
from cruddur.wire import (
    AccountHistory,
    AppealDecisionDraft,
    AuditEntry,
    Case,
    CasePage,
    CaseReport,
    CasesQuery,
    DecisionDraft,
    EvidenceQuery,
    OwnAuditEntry,
    Paging,
    Role,
    StoredEvidence,
)

# A cursor has one position, and open cases are first: their positions are later than any time.
_OPEN = timedelta(days=1_460_970)  # 4,000 years
_YEAR_OF_OPEN = 5000

MAX_REPORTS = 100
"""Reports of a case that moderators see, the first ones."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell of a CSV file begins that a spreadsheet may calculate."""


async def cases(conn: Connection, viewer: Viewer, query: CasesQuery) -> Page[Case]:
    """Return a page of the queue: open cases first, each part with the latest first.

    Cases about the viewer are left out.
    """
    at, uuid = time_cursor(query.cursor)
    is_open = None if at is None else at.year >= _YEAR_OF_OPEN
    listed = await db.select_cases(
        conn,
        viewer=viewer,
        before_open=is_open,
        before_at=at - _OPEN if at is not None and is_open else at,
        before_uuid=uuid,
        limit=query.limit + 1,
        max_reports=MAX_REPORTS,
    )

    def position(case: Case) -> tuple[datetime, UUID]:
        return case.opened_at + _OPEN if case.is_open else case.opened_at, case.uuid

    return page(listed, query.limit, position)


async def case_page(
    conn: Connection, viewer: Viewer, uuid: UUID, query: EvidenceQuery, sealer: EvidenceSealer
) -> tuple[CasePage, Page[db.SealedEvidence]]:
    """Return a case with a page of its evidence, and that page. Record that the viewer has seen it.

    Raises:
        ForbiddenError: the case is about the viewer. It would show them who reported them.
        NotFoundError: there is no such case.
    """
    before_at, before_uuid = time_cursor(query.cursor)
    case = await db.select_case(conn, uuid=uuid)
    if case is None:
        raise NotFoundError
    if case.user_uuid == viewer.uuid:
        raise ForbiddenError
    reports = await db.select_reports(conn, uuid=uuid, limit=MAX_REPORTS)
    listed = await db.select_evidence(
        conn, uuid=uuid, before_at=before_at, before_uuid=before_uuid, limit=query.limit + 1
    )
    evidence = page(listed, query.limit, lambda item: (item.created_at, item.uuid))
    await db.insert_audit_entry(
        conn, actor_uuid=viewer.uuid, action="look", case_uuid=uuid, user_uuid=case.user_uuid
    )
    account = case.account
    opened = CasePage(
        case=Case(
            uuid=case.uuid,
            kind=case.kind,
            subject_uuid=case.subject_uuid,
            user=account.user if account else None,
            categories=[report.category for report in reports],
            opened_at=case.opened_at,
            closed_at=case.closed_at,
            has_appeal=case.has_appeal,
            is_open=case.closed_at is None or case.has_appeal,
        ),
        reports=[
            CaseReport(
                uuid=report.uuid,
                handle=report.handle,
                display_name=report.display_name,
                category=report.category,
                words=sealer.open_words(report.sealed_words),
                created_at=report.created_at,
            )
            for report in reports
        ],
        evidence=[
            StoredEvidence(
                uuid=item.uuid,
                created_at=item.created_at,
                expires_at=item.expires_at,
                content=sealer.open(item.sealed),
            )
            for item in evidence.items
        ],
        account=await _history(conn, account) if account else None,
        can_act=await _refusal(conn, viewer, case.uuid, case.user_uuid, account) is None,
    )
    return opened, evidence


async def account_history(conn: Connection, handle: str) -> AccountHistory:
    """Return what moderators decided about an account. Raises NotFoundError if there is none."""
    account = await db.select_account(conn, handle=fold_handle(handle))
    if account is None:
        raise NotFoundError
    return await _history(conn, account)


async def decide(
    conn: Connection, viewer: Viewer, case_uuid: UUID, draft: DecisionDraft
) -> AccountHistory | None:
    """Decide about a case, which closes it.

    Returns:
        The history of the account, or None if the account was deleted.

    Raises:
        ForbiddenError: the account is the viewer's own, or has the same role or a higher one;
            judge_involved, the viewer has reported the case, and someone else can decide.
        InvalidError: days_invalid, a limit or suspension has no number of days, or another decision
            has one; kind_invalid, the decision does not suit the case, or the account was deleted;
            case_decided, the case was decided, and the draft is not a further decision.
        NotFoundError: there is no such case.
    """
    if (draft.kind in {"limit", "suspend"}) != (draft.days is not None):
        raise InvalidError("days_invalid")
    case = await db.select_case(conn, uuid=case_uuid)
    if case is None:
        raise NotFoundError
    account = case.account
    if refusal := await _refusal(conn, viewer, case.uuid, case.user_uuid, account):
        raise refusal
    if case.closed_at is not None and not draft.again:
        raise InvalidError("case_decided")
    suits = {
        "dismiss": case.closed_at is None,
        "remove_crud": case.kind == "crud",
        "lift": account is not None and (account.is_suspended or account.limited_until is not None),
    }
    if not suits.get(draft.kind, account is not None):
        raise InvalidError("kind_invalid")
    await sessions_db.lock_sessions(conn, user_uuid=case.user_uuid)
    uuid = await db.insert_decision(
        conn,
        case_uuid=case_uuid,
        actor_uuid=viewer.uuid,
        kind=draft.kind,
        reason=draft.reason,
        days=draft.days,
    )
    if draft.kind == "remove_crud":
        await db.delete_crud(conn, uuid=case.subject_uuid)
    elif draft.kind == "limit":
        await db.update_limit(conn, uuid=uuid)
    elif draft.kind in {"suspend", "ban"}:
        await db.update_suspension(conn, uuid=uuid)
    elif draft.kind == "lift":
        await db.delete_sanctions(conn, user_uuid=case.user_uuid)
    await db.insert_audit_entry(
        conn,
        actor_uuid=viewer.uuid,
        action=draft.kind,
        case_uuid=case_uuid,
        user_uuid=case.user_uuid,
        why=draft.reason,
    )
    current_operation().count("app.moderation.decisions", attributes={"app.kind": draft.kind})
    if account is None:
        return None
    return await account_history(conn, account.user.handle)


async def decide_appeal(
    conn: Connection, viewer: Viewer, uuid: UUID, draft: AppealDecisionDraft
) -> AccountHistory:
    """Decide an appeal. If the decision is overturned, its limit or suspension ends.

    Raises:
        ForbiddenError: as `decide`; judge_involved also if the viewer made the decision.
        InvalidError: appeal_decided, it has been decided.
        NotFoundError: there is no such appeal.
    """
    appeal = await db.select_appeal(conn, uuid=uuid)
    if appeal is None:
        raise NotFoundError
    refusal = await _refusal(
        conn,
        viewer,
        appeal.case_uuid,
        appeal.user_uuid,
        appeal,
        actor_uuid=appeal.actor_uuid,
    )
    if refusal:
        raise refusal
    if appeal.decision is not None:
        raise InvalidError("appeal_decided")
    await sessions_db.lock_sessions(conn, user_uuid=appeal.user_uuid)
    await db.update_appeal(conn, uuid=uuid, decision=draft.decision, reason=draft.reason)
    if draft.decision == "overturned" and appeal.kind in {"limit", "suspend", "ban"}:
        await db.update_overturned(conn, uuid=uuid, user_uuid=appeal.user_uuid)
    await db.insert_audit_entry(
        conn,
        actor_uuid=viewer.uuid,
        action=draft.decision,
        case_uuid=appeal.case_uuid,
        user_uuid=appeal.user_uuid,
        why=draft.reason,
    )
    return await account_history(conn, appeal.handle)


async def audit(conn: Connection, paging: Paging) -> Page[AuditEntry]:
    """Return a page of the audit log, the oldest entry first."""
    after_at, after_uuid = time_cursor(paging.cursor)
    listed = await db.select_audit_entries(
        conn, after_at=after_at, after_uuid=after_uuid, limit=paging.limit + 1
    )
    return page(listed, paging.limit, lambda entry: (entry.created_at, entry.uuid))


async def own_audit(conn: Connection, viewer: Viewer, paging: Paging) -> Page[OwnAuditEntry]:
    """Return a page of what the audit log says about the viewer, the oldest entry first.

    The caller has checked the viewer's session.
    """
    after_at, after_uuid = time_cursor(paging.cursor)
    listed = await db.select_own_audit_entries(
        conn,
        user_uuid=viewer.uuid,
        after_at=after_at,
        after_uuid=after_uuid,
        limit=paging.limit + 1,
    )
    return page(listed, paging.limit, lambda entry: (entry.created_at, entry.uuid))


def as_lines(entries: Sequence[AuditEntry] | Sequence[OwnAuditEntry]) -> str:
    """Return entries as JSON lines."""
    return msgspec.json.Encoder().encode_lines(entries).decode()


def export(entries: Sequence[AuditEntry], form: Literal["jsonl", "csv"], *, has_head: bool) -> str:
    """Return entries of the audit log as JSON lines or as CSV (RFC 4180).

    Args:
        entries: the entries.
        form: the format.
        has_head: whether CSV begins with the names of the columns.
    """
    if form == "jsonl":
        return as_lines(entries)
    text = io.StringIO()
    writer = csv.writer(text)
    if has_head:
        writer.writerow(AuditEntry.__struct_fields__)
    for entry in entries:
        row = msgspec.to_builtins(entry)
        writer.writerow([_cell(row[name]) for name in AuditEntry.__struct_fields__])
    return text.getvalue()


async def grant(conn: Connection, handle: str, role: Role) -> Role:
    """Set the role of a user from the command line, and return the one before.

    Raises:
        NotFoundError: no user has the handle.
    """
    granted = await db.update_role(conn, handle=fold_handle(handle), role=role)
    if granted is None:
        raise NotFoundError
    await db.insert_audit_entry(
        conn, actor_uuid=None, action="role", user_uuid=granted.uuid, why=role
    )
    return granted.previous


async def _refusal(
    conn: Connection,
    viewer: Viewer,
    case_uuid: UUID,
    user_uuid: UUID,
    account: db.Account | db.Appeal | None,
    *,
    actor_uuid: UUID | None = None,
) -> ForbiddenError | None:
    """Return why the viewer cannot judge a case, or None if they can.

    A moderator who is involved in it can judge it if no other one can.

    Args:
        conn: a connection for reading.
        viewer: the moderator.
        case_uuid: the case.
        user_uuid: the account that the case is about.
        account: its role; None if it was deleted.
        actor_uuid: who made the decision that is appealed.
    """
    role: Role = account.role if account else "member"
    judge = require_open_session(
        await db.select_judge(
            conn,
            viewer=viewer,
            case_uuid=case_uuid,
            user_uuid=user_uuid,
            actor_uuid=actor_uuid,
            roles=[other for other in RANKS if RANKS[other] > RANKS[role]],
        )
    )
    if user_uuid == viewer.uuid or RANKS[judge.role] <= RANKS[role]:
        return ForbiddenError()
    if judge.is_involved and judge.has_other:
        return ForbiddenError("judge_involved")
    return None


async def _history(conn: Connection, account: db.Account) -> AccountHistory:
    counts = await db.count_cases(conn, user_uuid=account.user.uuid)
    return AccountHistory(
        user=account.user,
        role=account.role,
        joined_at=account.joined_at,
        limited_until=account.limited_until,
        is_suspended=account.is_suspended,
        suspended_until=account.suspended_until,
        cases_count=counts.cases_count,
        open_count=counts.open_count,
        decisions=await db.select_history(conn, user_uuid=account.user.uuid),
    )


def _cell(value: object) -> object:
    """Return a value as the text of a cell; an apostrophe keeps it from being a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
