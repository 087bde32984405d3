"""Routes for what the instance is, and for what admins manage: settings, invitations and
announcements."""

from uuid import UUID

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import ApiBlueprint
from cruddur.services import announcements as announcements_service
from cruddur.services import instance as service
from cruddur.services import invitations as invitations_service
from cruddur.services.unit_of_work import Reading, Transaction
from cruddur.wire import (
    Announcement,
    AnnouncementDraft,
    Deleted,
    Instance,
    InstanceDraft,
    InstanceSettings,
    Invitation,
    InvitationDraft,
)

instance = ApiBlueprint("instance")


@instance.handle("GET", "/api/instance", summary="What this instance is", cached=True)
async def show(conn: Reading) -> Instance:
    """Its name, description and rules, who may sign up, how long cruds may live, and what admins
    announce."""
    return await service.instance(conn)


@instance.handle(
    "GET", "/api/instance/settings", summary="The settings of the instance", role="admin"
)
async def settings(conn: Reading, viewer: Viewer) -> InstanceSettings:  # noqa: ARG001  # the endpoint checks the role of the viewer
    """With those that only admins see."""
    return await service.settings(conn)


@instance.handle(
    "PUT",
    "/api/instance/settings",
    summary="Change settings of the instance",
    role="admin",
    errors={422: ["default_ttl_too_long"]},
)
async def change(conn: Transaction, viewer: Viewer, body: InstanceDraft) -> InstanceSettings:
    """What is absent stays as it is. A change holds from the next request on, in every process, and
    each one is an entry of the audit log. Longer lifetimes of older cruds stay."""
    return await service.change(conn, viewer.uuid, body)


@instance.handle(
    "POST",
    "/api/instance/invitations",
    summary="Create an invitation",
    role="admin",
    errors={422: ["too_many_invitations"]},
)
async def invite(conn: Transaction, viewer: Viewer, body: InvitationDraft) -> Invitation:
    """Its code opens accounts while the sign-up is by invitation. In a link, it is the fragment:
    `/signup#invitation=<code>`."""
    return await invitations_service.create(conn, viewer.uuid, body)


@instance.handle("GET", "/api/instance/invitations", summary="The invitations", role="admin")
async def invitations(conn: Reading, viewer: Viewer) -> list[Invitation]:  # noqa: ARG001  # the endpoint checks the role of the viewer
    """The latest is first. Expired ones are not listed."""
    return await invitations_service.invitations(conn)


@instance.handle(
    "DELETE",
    "/api/instance/invitations/<uuid:uuid>",
    summary="Revoke an invitation",
    role="admin",
    errors={404: ["not_found"]},
)
async def revoke(conn: Transaction, viewer: Viewer, uuid: UUID) -> list[Invitation]:
    """The response lists the others. Accounts that it has opened stay."""
    return await invitations_service.revoke(conn, viewer.uuid, uuid)


@instance.handle(
    "POST",
    "/api/instance/announcements",
    summary="Announce something to everyone",
    role="admin",
    errors={422: ["too_many_announcements"]},
)
async def announce(conn: Transaction, viewer: Viewer, body: AnnouncementDraft) -> Announcement:
    """`GET /api/instance` shows it until it expires, and streams get `instance` now and `gone`
    then."""
    return await announcements_service.create(conn, viewer.uuid, body)


@instance.handle(
    "DELETE",
    "/api/instance/announcements/<uuid:uuid>",
    summary="Delete an announcement",
    role="admin",
    errors={404: ["not_found"]},
)
async def delete(conn: Transaction, viewer: Viewer, uuid: UUID) -> Deleted:
    """Streams get `instance` without it."""
    return await announcements_service.delete(conn, viewer.uuid, uuid)
