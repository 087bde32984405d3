"""`make run SCENARIO=<name>`: run the service with a planted problem."""

import sys
from dataclasses import replace

import click

from cruddur.cli import signals
from cruddur.process import parent
from cruddur.process.signals import StoppedError
from cruddur.settings import OperatorError, Settings, SettingsError
from cruddur.settings.checks import is_loopback
from scenarios import NAMES


@click.command()
@click.argument("name", type=click.Choice(NAMES))
@click.option(
    "--release-after",
    type=click.FloatRange(min=0),
    default=120.0,
    show_default=True,
    help="Seconds until the next release is deployed, if there is one.",
)
@click.option("--follow-parent", type=int, metavar="PID", help="Stop when this parent ends.")
def main(name: str, release_after: float, follow_parent: int | None) -> None:
    """Run the service with the problem NAME, until Ctrl-C; docs/scenarios.md has the exercises."""
    signals.install()
    if follow_parent is not None:
        parent.follow_parent(follow_parent)
    try:
        settings = development_settings(Settings.from_env())
        from scenarios import runner

        sys.exit(runner.run(name, settings, release_after))
    except OperatorError as error:
        click.echo(f"scenarios: {error}", err=True)
        sys.exit(1)
    except StoppedError:
        sys.exit(0)


def development_settings(settings: Settings) -> Settings:
    """Return the settings for a scenario: one worker, and no limits for the load test.

    Raises:
        SettingsError: this is not a development environment.
    """
    if settings.environment == "production":
        raise SettingsError("a scenario does not run with CRUDDUR_ENVIRONMENT=production")
    if settings.published_on != "loopback" and not all(map(is_loopback, settings.binds)):
        raise SettingsError(
            "a scenario runs on loopback only: anybody knows the passwords of its users"
        )
    return replace(
        settings,
        workers=1,
        address_attempts=1_000_000,
        rate_exempt="127.0.0.1,::1",
        overload_delay=0.0,
    )


if __name__ == "__main__":
    main()
