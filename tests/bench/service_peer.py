"""The least service there can be, for the benchmark of what a service costs."""

import sys
from collections.abc import Sequence
from pathlib import Path

from shared.core.service import Effect, Happening, Moment, Stop, StopAsked
from shared.mesh.service import Plan, run

INSTANCE = "recorder"


class IdleCore:
    """Does nothing until it is asked to stop."""

    def handle(self, happening: Happening, _now: Moment) -> Sequence[Effect]:
        """Stop when asked."""
        return (Stop(),) if isinstance(happening, StopAsked) else ()


def main() -> None:
    """Run it in the project that is named on the command line."""
    sys.exit(run(Plan(instance=INSTANCE, core=IdleCore()), root=Path(sys.argv[1])))
