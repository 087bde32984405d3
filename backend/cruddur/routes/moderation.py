"""Routes for moderators and admins. Each one declares the role that it needs."""

from uuid import UUID

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import ApiBlueprint, Paged, resources
from cruddur.services import moderation as service
from cruddur.services.unit_of_work import Reading, Transaction
from cruddur.wire import (
    AccountHistory,
    AppealDecisionDraft,
    AuditEntry,
    AuditExportQuery,
    AuditQuery,
    Case,
    CasePage,
    CasesQuery,
    DecisionDraft,
    EvidenceQuery,
)

moderation = ApiBlueprint("moderation")

CURSOR = {422: ["cursor_invalid"]}


@moderation.handle(
    "GET",
    "/api/moderation/cases",
    summary="The cases, those that wait for a decision first",
    role="moderator",
    errors=CURSOR,
)
async def cases(conn: Reading, viewer: Viewer, query: CasesQuery) -> Paged[list[Case]]:
    """Without evidence, and without cases about the caller."""
    page = await service.cases(conn, viewer, query)
    return Paged(page.items, page.cursor)


@moderation.handle(
    "GET",
    "/api/moderation/cases/<uuid:uuid>",
    summary="A case with its evidence",
    role="moderator",
    errors=CURSOR,
)
async def case(
    conn: Transaction, viewer: Viewer, uuid: UUID, query: EvidenceQuery
) -> Paged[CasePage]:
    """Each request is an entry of the audit log. The latest copies are first; `Link` leads to
    earlier ones. 403 for a case about the caller."""
    opened, evidence = await service.case_page(
        conn, viewer, uuid, query, resources().evidence_sealer
    )
    return Paged(opened, evidence.cursor)


@moderation.handle(
    "POST",
    "/api/moderation/cases/<uuid:uuid>/decisions",
    summary="Decide about a case",
    role="moderator",
    errors={403: ["judge_involved"], 422: ["case_decided"]},
)
async def decide(
    conn: Transaction, viewer: Viewer, uuid: UUID, body: DecisionDraft
) -> AccountHistory | None:
    """Closes the case. The account sees the decision with its reason, unless the case is dismissed.
    `suspend` and `ban` end the sessions and streams of the account. `limit` takes its cruds from
    home, search and suggestions of those who do not follow it. Further decisions can follow,
    with `again`. 403 about the caller's own account, about accounts with the same role or a higher
    one, and about a case that the caller has reported, if someone else can decide."""
    return await service.decide(conn, viewer, uuid, body)


@moderation.handle(
    "POST",
    "/api/moderation/appeals/<uuid:uuid>",
    summary="Decide an appeal",
    role="moderator",
    errors={403: ["judge_involved"], 422: ["appeal_decided"]},
)
async def decide_appeal(
    conn: Transaction, viewer: Viewer, uuid: UUID, body: AppealDecisionDraft
) -> AccountHistory:
    """The uuid is that of the decision that was appealed. An overturned decision stops
    suspending the account; a removed crud stays deleted. 403 also for the moderator who made the
    decision, if another one can decide."""
    return await service.decide_appeal(conn, viewer, uuid, body)


@moderation.handle(
    "GET",
    "/api/moderation/accounts/@<handle>",
    summary="What moderators decided about an account",
    role="moderator",
    errors={404: ["not_found"]},
)
async def account(conn: Reading, viewer: Viewer, handle: str) -> AccountHistory:  # noqa: ARG001  # the endpoint checks the role of the viewer
    """The latest 100 decisions."""
    return await service.account_history(conn, handle)


@moderation.handle(
    "GET",
    "/api/moderation/audit",
    summary="The audit log",
    role="admin",
    errors=CURSOR,
)
async def audit(conn: Reading, viewer: Viewer, query: AuditQuery) -> Paged[list[AuditEntry]]:  # noqa: ARG001  # the endpoint checks the role of the viewer
    """The oldest entry first."""
    page = await service.audit(conn, query)
    return Paged(page.items, page.cursor)


@moderation.handle(
    "GET",
    "/api/moderation/audit.jsonl",
    summary="The audit log as JSON lines",
    role="admin",
    content_type="application/jsonl",
    errors=CURSOR,
)
async def audit_lines(conn: Reading, viewer: Viewer, query: AuditExportQuery) -> Paged[str]:  # noqa: ARG001  # the endpoint checks the role of the viewer
    """The oldest entry first; `Link` leads to the next part."""
    page = await service.audit(conn, query)
    return Paged(service.export(page.items, "jsonl", has_head=False), page.cursor)


@moderation.handle(
    "GET",
    "/api/moderation/audit.csv",
    summary="The audit log as CSV",
    role="admin",
    content_type="text/csv",
    errors=CURSOR,
)
async def audit_table(conn: Reading, viewer: Viewer, query: AuditExportQuery) -> Paged[str]:  # noqa: ARG001  # the endpoint checks the role of the viewer
    """The oldest entry first; `Link` leads to the next part, which has no names of columns. An
    apostrophe precedes a text that a spreadsheet would calculate."""
    page = await service.audit(conn, query)
    return Paged(service.export(page.items, "csv", has_head=query.cursor is None), page.cursor)
