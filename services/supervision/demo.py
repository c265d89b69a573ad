"""`bowline demo`: the mesh on the exchange that is only simulated, and where to look at it."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from services.supervision import up
from services.supervision.mesh import Mesh
from shared.mesh.settings import Settings
from shared.mesh.verb import OK, NotDoneError, Streams, root_argument, run_verb

GREETING: Final = "\nIt runs. Nothing here is real money: prices come from the simulated exchange on this host.\n"


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout."""
    return run(argv, environment=os.environ, streams=Streams(sys.stdout, sys.stderr))


def run(argv: Sequence[str], *, environment: Mapping[str, str], streams: Streams) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="bowline demo",
        description="Start the mesh on the simulated exchange, and say where to look. "
        "Exit codes: 0 all well, 1 it could not be done, 2 wrong usage, 3 something is not well.",
    )
    root_argument(parser)
    arguments = parser.parse_args(argv)

    def verb() -> int:
        settings = Mesh.of(arguments.root, environment).configuration.settings
        refuse_another_venue(settings)
        code = up.run(["--root", str(arguments.root)], environment=environment, streams=streams)
        if code == OK:
            streams.say(f"{GREETING}\n{tour(settings)}")
        return code

    return run_verb("demo", streams, verb)


def tour(settings: Settings) -> str:
    """Return what to look at, a line each: the command, and what it shows."""
    stops = {
        ".venv/bin/bowline watch": "prices, ages, latencies and processes, as they change (q quits)",
        ".venv/bin/bowline status": "every process, and whether it is well",
        ".venv/bin/bowline crash feed": "kill one, and see it come back",
        ".venv/bin/bowline logs feed": "what it says about that (Ctrl-C quits)",
        f"curl -s {settings.metrics.door.address}/metrics": "the same for Prometheus",
        "make down": "end it",
    }
    width = max(map(len, stops))
    return "\n".join(f"  {command:<{width}}   {shows}" for command, shows in stops.items())


def refuse_another_venue(settings: Settings) -> None:
    """Refuse to call it a demonstration when prices would come from elsewhere."""
    if settings.venue_address != settings.sim_exchange.door.address:
        raise NotDoneError(
            f"venue.url is {settings.venue.url}, and this is about the exchange that is only simulated: set venue.url "
            "to simulated, or start what is configured with `bowline up`"
        )
