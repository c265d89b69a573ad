"""`bowline status`: every process of the mesh, and whether it is well."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from services.supervision.mesh import Mesh
from services.supervision.observation import Observation, observed
from services.supervision.standing import Standing, as_builtins, condition_lines, latch_lines
from services.supervision.table import as_json, as_text
from shared.mesh.clock import SystemClock
from shared.mesh.operator import risk_heard
from shared.mesh.verb import NOT_WELL, OK, Streams, root_argument, run_verb

RISK: Final = "risk"
TEXT: Final = """\
Show every process of the mesh. RUNNING is well, and OFF is not wanted; what the other words mean stands in
docs/what-happens-when-a-process-dies.md.
Exit codes: 0 all well, 1 it could not be found out, 2 wrong usage, 3 something is not well.
While the kill latch stands, that comes first; behind the table stands what keeps entries waiting, as risk says it.
With --json: {"supervisor_id", "well", "latch", "latch_id", "permission", "conditions", "remarks", "processes"}; times
are in seconds, and what is not known is null.
"""


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout."""
    return run(argv, environment=os.environ, streams=Streams(sys.stdout, sys.stderr))


def run(argv: Sequence[str], *, environment: Mapping[str, str], streams: Streams) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="bowline status", description=TEXT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    root_argument(parser)
    arguments = parser.parse_args(argv)

    def verb() -> int:
        mesh = Mesh.as_far_as_known(arguments.root, environment)
        observation = observed(mesh)
        is_risk_there = any(row.instance == RISK and row.process_id is not None for row in observation.rows)
        standing = Standing(observation.latch, risk_heard(mesh.configuration), is_risk_there=is_risk_there)
        is_well = observation.well and not standing.is_halted
        if arguments.json:
            beside = {"supervisor_id": observation.supervisor_id, "well": is_well, **as_builtins(standing)}
            streams.say(*as_json(observation.rows, {**beside, "remarks": list(observation.remarks)}).splitlines())
        else:
            show(observation, streams, standing)
        return OK if is_well else NOT_WELL

    return run_verb("status", streams, verb)


def show(observation: Observation, streams: Streams, standing: Standing | None = None) -> None:
    """Print the latch if one stands, the table, what keeps entries waiting, and what is to be said beside it."""
    standing = standing or Standing(observation.latch)
    streams.say(*latch_lines(standing, SystemClock().wall_ns()))
    streams.say(*as_text(observation.rows).splitlines())
    streams.say(*condition_lines(standing))
    streams.say(*(line for remark in observation.remarks for line in ("", *remark.splitlines())))
