"""Queries for roles, cases, decisions and the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cruddur.db.statements import Connection, Row, load
from cruddur.db.viewers import ViewerIds, parameters
from cruddur.wire import (
    AuditEntry,
    Case,
    Decision,
    DecisionKind,
    OwnAuditEntry,
    Role,
    ShortUser,
    SubjectKind,
)

_ROLE = load("moderation.role")
_JUDGE = load("moderation.judge")
_CASES = load("moderation.cases")
_CASE = load("moderation.case")
_REPORTS = load("moderation.reports")
_EVIDENCE = load("moderation.evidence")
_HISTORY = load("moderation.history")
_ACCOUNT = load("moderation.account")
_CASES_OF = load("moderation.cases_of")
_ACT = load("moderation.act")
_REMOVE_CRUD = load("moderation.remove_crud")
_LIMIT = load("moderation.limit")
_SUSPEND = load("moderation.suspend")
_LIFT = load("moderation.lift")
_APPEALED = load("moderation.appealed")
_DECIDE = load("moderation.decide")
_OVERTURN = load("moderation.overturn")
_SET_ROLE = load("moderation.set_role")
_STAFF = load("moderation.staff")
_AUDIT = load("moderation.audit")
_AUDIT_ENTRIES = load("moderation.audit_entries")
_OWN_AUDIT_ENTRIES = load("moderation.own_audit_entries")


@dataclass(frozen=True, slots=True)
class Account:
    """An account as moderators see it. `suspended_until` is None for a ban."""

    user: ShortUser
    role: Role
    joined_at: datetime
    limited_until: datetime | None
    is_suspended: bool
    suspended_until: datetime | None


@dataclass(frozen=True, slots=True)
class Judge:
    """A moderator who may judge a case.

    Attributes:
        role: their role.
        is_involved: whether they have reported the case, or made the decision that is appealed.
        has_other: whether there is another moderator of this rank without involvement.
    """

    role: Role
    is_involved: bool
    has_other: bool


@dataclass(frozen=True, slots=True)
class LockedCase:
    """A case that is locked until the transaction ends; `account` is None if it was deleted."""

    uuid: UUID
    kind: SubjectKind
    subject_uuid: UUID
    user_uuid: UUID
    opened_at: datetime
    closed_at: datetime | None
    has_appeal: bool
    account: Account | None


@dataclass(frozen=True, slots=True)
class SealedReport:
    """A report with its sealed words."""

    uuid: UUID
    handle: str
    display_name: str
    category: str
    sealed_words: bytes | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SealedEvidence:
    """Evidence as it is stored."""

    uuid: UUID
    sealed: bytes
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Appeal:
    """A decision with an appeal; `decision` is None while the appeal waits."""

    uuid: UUID
    case_uuid: UUID
    user_uuid: UUID
    actor_uuid: UUID
    kind: DecisionKind
    decision: str | None
    role: Role
    handle: str


@dataclass(frozen=True, slots=True)
class CaseCounts:
    """How many cases an account has had, and how many are open."""

    cases_count: int
    open_count: int


@dataclass(frozen=True, slots=True)
class OwnRole:
    """A viewer's role, and whether their sign-ins need a second factor."""

    role: Role
    has_second_factor: bool


@dataclass(frozen=True, slots=True)
class GrantedRole:
    """A user whose role was set, and the role before."""

    uuid: UUID
    handle: str
    previous: Role


async def select_role(conn: Connection, *, viewer: ViewerIds) -> OwnRole | None:
    """Return the viewer's role, or None if their session is not open."""
    row = await _ROLE.row(conn, **parameters(viewer))
    return OwnRole(**row) if row else None


async def select_judge(
    conn: Connection,
    *,
    viewer: ViewerIds,
    case_uuid: UUID,
    user_uuid: UUID,
    actor_uuid: UUID | None,
    roles: Sequence[Role],
) -> Judge | None:
    """Return whether the viewer is involved in a case, and who else could judge it.

    Args:
        conn: a connection for reading.
        viewer: the moderator.
        case_uuid: the case.
        user_uuid: the account that it is about, which cannot judge it.
        actor_uuid: who made the decision that is appealed; None without an appeal.
        roles: the roles that may judge the account.

    Returns:
        None if the viewer's session is not open.
    """
    row = await _JUDGE.row(
        conn,
        **parameters(viewer),
        case_uuid=case_uuid,
        user_uuid=user_uuid,
        actor_uuid=actor_uuid,
        roles=roles,
    )
    return Judge(**row) if row else None


async def select_cases(
    conn: Connection,
    *,
    viewer: ViewerIds,
    before_open: bool | None,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
    max_reports: int,
) -> list[Case]:
    """Return the cases before a position, open ones first, each part with the latest first.

    Cases about the viewer are left out. `max_reports` is how many categories a case has at most.
    """
    rows = await _CASES.rows(
        conn,
        viewer=viewer.uuid,
        before_open=before_open,
        before_at=before_at,
        before_uuid=before_uuid,
        limit=limit,
        max_reports=max_reports,
    )
    return [
        Case(
            uuid=row["uuid"],
            kind=row["kind"],
            subject_uuid=row["subject_uuid"],
            user=_user(row),
            categories=row["categories"],
            opened_at=row["opened_at"],
            closed_at=row["closed_at"],
            has_appeal=row["has_appeal"],
            is_open=row["is_open"],
        )
        for row in rows
    ]


async def select_case(conn: Connection, *, uuid: UUID) -> LockedCase | None:
    """Return a case and lock it until the transaction ends."""
    row = await _CASE.row(conn, uuid=uuid)
    if row is None:
        return None
    return LockedCase(
        uuid=row["uuid"],
        kind=row["kind"],
        subject_uuid=row["subject_uuid"],
        user_uuid=row["user_uuid"],
        opened_at=row["opened_at"],
        closed_at=row["closed_at"],
        has_appeal=row["has_appeal"],
        account=_account(row),
    )


async def select_reports(conn: Connection, *, uuid: UUID, limit: int) -> list[SealedReport]:
    """Return the first reports of a case, the oldest first."""
    return [SealedReport(**row) for row in await _REPORTS.rows(conn, uuid=uuid, limit=limit)]


async def select_evidence(
    conn: Connection,
    *,
    uuid: UUID,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
) -> list[SealedEvidence]:
    """Return the evidence of a case before a position, the latest first."""
    rows = await _EVIDENCE.rows(
        conn, uuid=uuid, before_at=before_at, before_uuid=before_uuid, limit=limit
    )
    return [SealedEvidence(**row) for row in rows]


async def select_history(conn: Connection, *, user_uuid: UUID) -> list[Decision]:
    """Return the latest 100 decisions about an account, the latest first."""
    return [Decision(**row) for row in await _HISTORY.rows(conn, user_uuid=user_uuid)]


async def select_account(conn: Connection, *, handle: str) -> Account | None:
    """Return the account with this handle."""
    row = await _ACCOUNT.row(conn, handle=handle)
    return _account(row) if row else None


async def count_cases(conn: Connection, *, user_uuid: UUID) -> CaseCounts:
    """Count the cases of an account."""
    [row] = await _CASES_OF.rows(conn, user_uuid=user_uuid)
    return CaseCounts(**row)


async def insert_decision(
    conn: Connection,
    *,
    case_uuid: UUID,
    actor_uuid: UUID,
    kind: DecisionKind,
    reason: str,
    days: int | None,
) -> UUID:
    """Record a decision about a case, and close the case."""
    uuid: UUID = await _ACT.value(
        conn, case_uuid=case_uuid, actor_uuid=actor_uuid, kind=kind, reason=reason, days=days
    )
    return uuid


async def delete_crud(conn: Connection, *, uuid: UUID) -> None:
    """Delete a crud or reply of any author."""
    await _REMOVE_CRUD.run(conn, uuid=uuid)


async def update_limit(conn: Connection, *, uuid: UUID) -> None:
    """Limit the account that a decision is about."""
    await _LIMIT.run(conn, uuid=uuid)


async def update_suspension(conn: Connection, *, uuid: UUID) -> None:
    """Suspend the account that a decision is about, and end its sessions and streams."""
    await _SUSPEND.run(conn, uuid=uuid)


async def delete_sanctions(conn: Connection, *, user_uuid: UUID) -> None:
    """End the limit and the suspension of an account."""
    await _LIFT.run(conn, user_uuid=user_uuid)


async def select_appeal(conn: Connection, *, uuid: UUID) -> Appeal | None:
    """Return a decision that was appealed, and lock it until the transaction ends."""
    row = await _APPEALED.row(conn, uuid=uuid)
    return Appeal(**row) if row else None


async def update_appeal(conn: Connection, *, uuid: UUID, decision: str, reason: str) -> None:
    """Decide an appeal."""
    await _DECIDE.run(conn, uuid=uuid, decision=decision, reason=reason)


async def update_overturned(conn: Connection, *, uuid: UUID, user_uuid: UUID) -> None:
    """End the limit or suspension of a decision, unless another one has set a later end."""
    await _OVERTURN.run(conn, uuid=uuid, user_uuid=user_uuid)


async def update_role(conn: Connection, *, handle: str, role: Role) -> GrantedRole | None:
    """Set the role of a user; None if no user has the handle."""
    row = await _SET_ROLE.row(conn, handle=handle, role=role)
    return GrantedRole(**row) if row else None


async def select_staff(conn: Connection) -> list[tuple[str, Role]]:
    """Return the handle and the role of everyone who has one, admins first."""
    return [(row["handle"], row["role"]) for row in await _STAFF.rows(conn)]


async def insert_audit_entry(
    conn: Connection,
    *,
    actor_uuid: UUID | None,
    action: str,
    case_uuid: UUID | None = None,
    user_uuid: UUID | None = None,
    why: str = "",
) -> None:
    """Add an entry to the audit log; without an actor, it was the command line."""
    await _AUDIT.run(
        conn,
        actor_uuid=actor_uuid,
        action=action,
        case_uuid=case_uuid,
        user_uuid=user_uuid,
        why=why,
    )


async def select_audit_entries(
    conn: Connection, *, after_at: datetime | None, after_uuid: UUID | None, limit: int
) -> Sequence[AuditEntry]:
    """Return the entries of the audit log after a position, the oldest first."""
    rows = await _AUDIT_ENTRIES.rows(conn, after_at=after_at, after_uuid=after_uuid, limit=limit)
    return [AuditEntry(**row) for row in rows]


async def select_own_audit_entries(
    conn: Connection,
    *,
    user_uuid: UUID,
    after_at: datetime | None,
    after_uuid: UUID | None,
    limit: int,
) -> list[OwnAuditEntry]:
    """Return what the audit log says about a user after a position, the oldest entry first."""
    rows = await _OWN_AUDIT_ENTRIES.rows(
        conn, user_uuid=user_uuid, after_at=after_at, after_uuid=after_uuid, limit=limit
    )
    return [OwnAuditEntry(**row) for row in rows]


def _user(row: Row) -> ShortUser | None:
    if row["handle"] is None:
        return None
    return ShortUser(row["user_uuid"], row["handle"], row["display_name"], row["avatar_url"])


def _account(row: Row) -> Account | None:
    user = _user(row)
    if user is None:
        return None
    values: dict[str, Any] = {
        name: row[name]
        for name in ("role", "joined_at", "limited_until", "is_suspended", "suspended_until")
    }
    return Account(user, **values)
