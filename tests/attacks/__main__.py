"""Attack a running service on this machine and print the effects: `make attack`.

Each module `attack_<item>_<what>.py` of this folder is one bounded attack: a coroutine
`attack(target)` that ends by itself, and that returns what the attacker saw as one line.
"""

import asyncio
import importlib
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import click

from attacks.target import NotLoopbackError, Target, measure

SECONDS = 60
"""Maximum duration of an attack."""

NAMES = sorted(path.stem.removeprefix("attack_") for path in Path(__file__).parent.glob("attack_*"))


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--url", default="http://127.0.0.1:4567", show_default=True, help="The service.")
def main(names: tuple[str, ...], url: str) -> None:
    """Run the attacks whose names contain one of NAME, or all of them."""
    chosen = [one for one in NAMES if not names or any(name in one for name in names)]
    if not chosen:
        sys.exit(f"no such attack; there are {', '.join(NAMES)}")
    try:
        target = Target(url)
    except NotLoopbackError as error:
        sys.exit(str(error))
    for name in chosen:
        asyncio.run(_run(name, target))


async def _run(name: str, target: Target) -> None:
    module = importlib.import_module(f"attacks.attack_{name}")
    attack: Callable[[Target], Awaitable[str]] = module.attack
    print(f"{name}: {(module.__doc__ or '').splitlines()[0]}")
    print(f"  before  {await measure(target)}")
    task = asyncio.ensure_future(asyncio.wait_for(attack(target), SECONDS))
    await asyncio.sleep(0.2)
    while not task.done():
        print(f"  during  {await measure(target)}", flush=True)
    try:
        print(f"  saw     {task.result()}")
    except TimeoutError:
        print(f"  saw     nothing: stopped after {SECONDS} s")
    print(f"  after   {await measure(target)}", flush=True)


if __name__ == "__main__":
    main()
