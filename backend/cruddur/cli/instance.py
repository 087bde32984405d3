"""The tasks of the commands about the instance. Each returns the lines that its command prints."""

from functools import partial
from uuid import UUID

import msgspec
from msgspec import structs

from cruddur.cli import signals
from cruddur.cli.database import open_database, require_migrated
from cruddur.cli.tasks import in_transaction
from cruddur.errors import InvalidError, NotFoundError
from cruddur.routes.parsing import read_body
from cruddur.services import instance
from cruddur.services import invitations as invitations_service
from cruddur.settings import OperatorError, Settings
from cruddur.wire import InstanceDraft, InstanceSettings, InvitationDraft


def show(settings: Settings) -> str:
    """List the settings of the instance."""
    with open_database(settings) as dsn:
        require_migrated(dsn)
        return _lines(signals.run(in_transaction(dsn, instance.settings)))


def change(settings: Settings, name: str, value: str) -> str:
    """Change a setting of the instance, and list all."""
    if name not in InstanceDraft.__struct_fields__:
        raise OperatorError(
            f"there is no setting {name}: {', '.join(InstanceDraft.__struct_fields__)}"
        )
    values: dict[str, object] = {
        "blocked_domains": value.split(),
        "evidence_days": int(value) if value.isdecimal() else value,
        "new_terms": {"true": True, "false": False}.get(value, value),
    }
    body = msgspec.json.encode({name: values.get(name, value)})
    with open_database(settings) as dsn:
        require_migrated(dsn)
        try:
            draft = read_body(InstanceDraft, body)
            changed = signals.run(
                in_transaction(dsn, partial(instance.change, actor_uuid=None, draft=draft))
            )
        except InvalidError as error:
            raise OperatorError(f"{value!r} is refused: {error}") from None
    return _lines(changed)


def invite(settings: Settings, *, uses: int, days: int) -> str:
    """Create an invitation, and return its link."""
    draft = InvitationDraft(max_uses=uses, days=days)
    with open_database(settings) as dsn:
        require_migrated(dsn)
        try:
            created = signals.run(
                in_transaction(
                    dsn, partial(invitations_service.create, actor_uuid=None, draft=draft)
                )
            )
        except InvalidError as error:
            raise OperatorError(str(error)) from None
    return f"{settings.page_origin}/signup#invitation={created.code}"


def invitations(settings: Settings) -> str:
    """List the invitations."""
    with open_database(settings) as dsn:
        require_migrated(dsn)
        listed = signals.run(in_transaction(dsn, invitations_service.invitations))
    return (
        "\n".join(
            f"{one.uuid}  {one.code}  {one.uses} of {one.max_uses} used,"
            f" until {one.expires_at:%Y-%m-%d %H:%M %Z}"
            for one in listed
        )
        or "there are no invitations"
    )


def uninvite(settings: Settings, uuid: UUID) -> str:
    """Revoke an invitation."""
    with open_database(settings) as dsn:
        require_migrated(dsn)
        try:
            signals.run(
                in_transaction(dsn, partial(invitations_service.revoke, actor_uuid=None, uuid=uuid))
            )
        except NotFoundError:
            raise OperatorError(f"there is no invitation {uuid}") from None
    return "revoked"


def _lines(settings: InstanceSettings) -> str:
    lines = []
    for name, value in structs.asdict(settings).items():
        text = " ".join(value) if isinstance(value, list) else str(value)
        lines.append(f"{name:<16} {text}".rstrip())
    return "\n".join(lines)
