"""`bowline status`: every process of the mesh, and whether it is well."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from services.supervision.mesh import Mesh
from services.supervision.observation import Observation, observed
from services.supervision.table import as_json, as_text
from shared.mesh.verb import NOT_WELL, OK, Streams, root_argument, run_verb

TEXT = """\
Show every process of the mesh. RUNNING is well, and OFF is not wanted; what the other words mean stands in
docs/what-happens-when-a-process-dies.md.
Exit codes: 0 all well, 1 it could not be found out, 2 wrong usage, 3 something is not well.
With --json: {"supervisor_id", "well", "remarks", "processes"}; times are in seconds, and what is not known is null.
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
        observation = observed(Mesh.as_far_as_known(arguments.root, environment))
        if arguments.json:
            supervisor_id, remarks = observation.supervisor_id, observation.remarks
            streams.say(as_json(observation.rows, supervisor_id=supervisor_id, well=observation.well, remarks=remarks))
        else:
            show(observation, streams)
        return OK if observation.well else NOT_WELL

    return run_verb("status", streams, verb)


def show(observation: Observation, streams: Streams) -> None:
    """Print the table, and what is to be said beside it."""
    streams.output.write(as_text(observation.rows))
    streams.output.writelines(f"\n{remark}\n" for remark in observation.remarks)
    streams.output.flush()
