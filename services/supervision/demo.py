"""`bowline demo`: the mesh on the exchange that is only simulated, with what makes it lively, and where to look at it.

What it runs with stands in config/demo.yaml. Every process is handed that as variables, so that it is one configuration
like any other; what the user has said himself stays.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from services.supervision import up
from services.supervision.asking import asked_patiently
from services.supervision.mesh import Mesh
from shared.mesh.process_identity import environment_of
from shared.mesh.settings import Settings, SettingsError, load_configuration
from shared.mesh.settings.layers import file_layer, variables_of
from shared.mesh.verb import OK, NotDoneError, Streams, root_argument, run_verb

FILE: Final = "config/demo.yaml"
SHIPPED: Final = ("default", "profile ", "config/bowline.yaml:")  # where a value comes from that nobody has chosen
GREETING: Final = "\nIt runs. Nothing here is real money: prices come from the simulated exchange on this host.\n"


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout."""
    return run(argv, environment=os.environ, streams=Streams(sys.stdout, sys.stderr))


def run(argv: Sequence[str], *, environment: Mapping[str, str], streams: Streams) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="bowline demo",
        description="Start the mesh on the simulated exchange, and say where to look. "
        "Exit codes: 0 all well, 1 it could not be done, 2 wrong usage, 3 something is not well, such as "
        "a kill latch of an earlier one that still stands.",
    )
    root_argument(parser)
    arguments = parser.parse_args(argv)

    def verb() -> int:
        variables = variables_of_demo(arguments.root, environment)
        mesh = Mesh.of(arguments.root, {**environment, **variables})
        settings = mesh.configuration.settings
        refuse_another_venue(settings)
        refuse_other_settings(mesh, variables)
        code = up.run(["--root", str(arguments.root)], environment=mesh.environment, streams=streams)
        if code == OK:
            streams.say(*f"{GREETING}\n{tour(settings)}".splitlines())
        return code

    return run_verb("demo", streams, verb)


def variables_of_demo(root: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the demonstration adds: what its file says, of what nobody has chosen."""
    layer, problems = file_layer(root / FILE, name=FILE, required=True)
    if problems:
        raise SettingsError(problems)
    origins = load_configuration(root=root, environment=environment).origins
    return variables_of({key: said for key, said in layer.items() if origins[key].startswith(SHIPPED)})


def refuse_other_settings(mesh: Mesh, variables: Mapping[str, str]) -> None:
    """Refuse to call a mesh the demonstration that runs already, and without what makes it one."""
    supervisor_id = asked_patiently(mesh).supervisor_id
    if supervisor_id is not None and not variables.items() <= environment_of(supervisor_id).items():
        raise NotDoneError(
            f"the mesh runs already, without the settings of {FILE}: `bowline down`, then `bowline demo`"
        )


def tour(settings: Settings) -> str:
    """Return what to look at, a line each: the command, and what it shows."""
    stops = {
        ".venv/bin/bowline watch": "prices, ages, latencies and processes, as they change (q quits)",
        ".venv/bin/bowline status": "every process, and whether it is well",
        ".venv/bin/bowline logs strategy": "what is decided, and what becomes of it (Ctrl-C quits)",
        ".venv/bin/bowline fills": "what was traded, and what it cost; nine times of ten the first within a minute",
        ".venv/bin/bowline why ORDER": "from one of those orders back to the bar it was decided on",
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
