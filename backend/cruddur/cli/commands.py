"""The commands and their options.

Each command checks the settings before it imports what it runs, so that `--help` and an invalid
setting need few imports. A signal interrupts the imports.
"""

import sys
from dataclasses import replace
from functools import partial
from typing import Literal
from uuid import UUID

import click
import msgspec

from cruddur.cli import signals
from cruddur.operating_system import HAS_FORK
from cruddur.process import parent
from cruddur.process.runtime import importing
from cruddur.settings import Settings, SettingsError


@click.command("serve")
@click.option("--bind", multiple=True, metavar="HOST:PORT", help="Address to serve on; repeatable.")
@click.option("--certfile", metavar="FILE", help="Certificate, to serve with TLS and HTTP/2.")
@click.option("--keyfile", metavar="FILE", help="Its private key, if it is in another file.")
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes.")
@click.option("--reload", is_flag=True, help="Restart when the code changes.")
@click.option("--setup", is_flag=True, help="Migrate first, and seed an empty database.")
@click.option("--traces", is_flag=True, help="Show traces on a page, unless they go elsewhere.")
@click.option("--follow-parent", type=int, metavar="PID", help="Stop when this parent ends.")
def serve_command(
    bind: tuple[str, ...],
    certfile: str | None,
    keyfile: str | None,
    workers: int | None,
    reload: bool,
    setup: bool,
    traces: bool,
    follow_parent: int | None,
) -> None:
    """Serve the API; the embedded database is always set up."""
    if follow_parent is not None and HAS_FORK:  # Windows gives an orphan no other parent
        parent.follow_parent(follow_parent)
    settings = Settings.from_env()
    settings = replace(
        settings,
        bind=",".join(bind) or settings.bind,
        certfile=certfile or settings.certfile,
        keyfile=keyfile or settings.keyfile,
        workers=workers or settings.workers,
    )
    settings.check()
    with signals.interrupting(), importing():
        from cruddur.cli import service
    sys.exit(service.run(settings, reload=reload, setup=setup, traces=traces))


@click.command("migrate")
def migrate_command() -> None:
    """Bring the database's schema up to date."""
    settings = Settings.from_env()
    with signals.interrupting(), importing():
        from cruddur.cli import tasks
    print(tasks.migrate(settings))


@click.command("seed")
def seed_command() -> None:
    """Fill an empty database with the people and cruds of the course."""
    settings = Settings.from_env()
    with signals.interrupting(), importing():
        from cruddur.cli import tasks
    print(tasks.seed(settings))


@click.command("sweep")
def sweep_command() -> None:
    """Remove expired data once; a running server does so periodically."""
    settings = Settings.from_env()
    with signals.interrupting(), importing():
        from cruddur.cli import tasks
    print(tasks.sweep(settings))


@click.command("rotate-key")
def rotate_key_command() -> None:
    """Add a key that signs access tokens in a few minutes, once every replica has read it."""
    settings = Settings.from_env()
    if settings.signing_key:
        raise SettingsError(
            "CRUDDUR_SIGNING_KEY holds the keys: add one to it (docs/operations.md)"
        )
    with signals.interrupting(), importing():
        from cruddur.cli import tasks
    print(tasks.rotate_key(settings))


@click.command("doctor")
@click.option("--json", "is_json", is_flag=True, help="Print the findings as JSON.")
def doctor_command(is_json: bool) -> None:
    """Check this environment, and say what to do: settings, database, sinks, mail, ports, page.

    Sends one span, log line and error to each telemetry sink that is configured. The exit code is
    1 if there is a fault.
    """
    with signals.interrupting(), importing():
        from cruddur.cli import doctor
    sys.exit(doctor.run(is_json=is_json))


@click.group("users")
def users_group() -> None:
    """Manage users."""


@users_group.command("link")
@click.argument("handle")
@click.argument("subject", metavar="COGNITO-SUB")
def link_command(handle: str, subject: str) -> None:
    """Link a user that has no Cognito account to the Cognito user with this `sub`.

    The user keeps their cruds. Their password and sessions of local accounts are deleted.
    """
    settings = Settings.from_env()
    if not settings.cognito_user_pool_id:
        raise SettingsError("AWS_COGNITO_USER_POOL_ID is not set: there is no pool to link to")
    with signals.interrupting(), importing():
        from cruddur.cli import tasks
    print(tasks.link(settings, handle, subject))


@click.group("admin")
def admin_group() -> None:
    """Manage moderators, admins and the settings of the instance, and export the audit log."""


@admin_group.command("grant")
@click.argument("handle", metavar="@HANDLE")
@click.argument("role", type=click.Choice(["moderator", "admin"]))
def grant_command(handle: str, role: Literal["moderator", "admin"]) -> None:
    """Give a user a role."""
    settings = Settings.from_env()
    with signals.interrupting(), importing():
        from cruddur.cli import tasks
    print(tasks.grant(settings, handle, role))


@admin_group.command("revoke")
@click.argument("handle", metavar="@HANDLE")
def revoke_command(handle: str) -> None:
    """Make a moderator or admin an ordinary member."""
    settings = Settings.from_env()
    with signals.interrupting(), importing():
        from cruddur.cli import tasks
    print(tasks.grant(settings, handle, "member"))


@admin_group.command("list")
def staff_command() -> None:
    """List the admins and moderators."""
    settings = Settings.from_env()
    with signals.interrupting(), importing():
        from cruddur.cli import tasks
    print(tasks.staff(settings))


@admin_group.command("audit")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv"]),
    default="jsonl",
    show_default=True,
    help="JSON lines, or a table.",
)
def audit_command(form: Literal["jsonl", "csv"]) -> None:
    """Print the audit log, the oldest entry first."""
    settings = Settings.from_env()
    with signals.interrupting(), importing():
        from cruddur.cli import tasks
    tasks.audit(settings, form, partial(click.echo, nl=False))


@admin_group.command("settings")
def instance_command() -> None:
    """Print the settings of the instance."""
    settings = Settings.from_env()
    with signals.interrupting(), importing():
        from cruddur.cli import instance
    print(instance.show(settings))


@admin_group.command("set")
@click.argument("name")
@click.argument("value")
def set_command(name: str, value: str) -> None:
    """Change a setting of the instance, such as sign_up_mode to closed.

    blocked_domains are separated by spaces. `new_terms true` asks members to accept the terms
    again.
    """
    settings = Settings.from_env()
    with signals.interrupting(), importing():
        from cruddur.cli import instance
    print(instance.change(settings, name, value))


@admin_group.command("invite")
@click.option("--uses", type=click.IntRange(1, 1000), default=1, show_default=True)
@click.option("--days", type=click.IntRange(1, 365), default=7, show_default=True)
def invite_command(uses: int, days: int) -> None:
    """Create an invitation, and print its link."""
    settings = Settings.from_env()
    with signals.interrupting(), importing():
        from cruddur.cli import instance
    print(instance.invite(settings, uses=uses, days=days))


@admin_group.command("invitations")
def invitations_command() -> None:
    """List the invitations that have not expired."""
    settings = Settings.from_env()
    with signals.interrupting(), importing():
        from cruddur.cli import instance
    print(instance.invitations(settings))


@admin_group.command("uninvite")
@click.argument("uuid", type=click.UUID)
def uninvite_command(uuid: UUID) -> None:
    """Revoke an invitation."""
    settings = Settings.from_env()
    with signals.interrupting(), importing():
        from cruddur.cli import instance
    print(instance.uninvite(settings, uuid))


@click.command("openapi")
def openapi_command() -> None:
    """Print the OpenAPI document, as /openapi.json serves it, indented."""
    with signals.interrupting(), importing():
        from cruddur.app import ENDPOINTS
        from cruddur.routes import openapi

    click.echo(msgspec.json.format(openapi.encode(ENDPOINTS), indent=2))
