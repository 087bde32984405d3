"""The command group, which reports expected errors in one line."""

import logging
import os
import sys

import click

from cruddur.cli import signals
from cruddur.cli.commands import (
    admin_group,
    doctor_command,
    migrate_command,
    openapi_command,
    rotate_key_command,
    seed_command,
    serve_command,
    sweep_command,
    users_group,
)
from cruddur.process.signals import StoppedError
from cruddur.settings import OperatorError
from cruddur.version import __version__


class _Commands(click.Group):
    """A group whose commands end with one line and exit code 1 on an expected error."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except OperatorError as error:
            print(f"cruddur: {error}", file=sys.stderr)
            ctx.exit(1)
        except StoppedError:
            logging.shutdown()
            sys.stdout.flush()
            # Do not wait for threads: one of them may be resolving a host name.
            os._exit(
                0 if ctx.invoked_subcommand in {None, "serve"} else 128 + (signals.number or 0)
            )


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="cruddur")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Cruddur: a microblog whose posts expire.

    Without a command it runs everything, as `serve --setup --traces` does.

    Every command except openapi uses the PostgreSQL of CONNECTION_URL or, without it, the embedded
    one.
    """
    signals.install()
    if ctx.invoked_subcommand is None:
        ctx.invoke(serve_command, setup=True, traces=True)


for command in (
    serve_command,
    doctor_command,
    migrate_command,
    seed_command,
    sweep_command,
    rotate_key_command,
    users_group,
    admin_group,
    openapi_command,
):
    main.add_command(command)
