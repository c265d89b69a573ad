"""A service that does nothing: for tests of how a process starts and ends."""

import sys
from collections.abc import Sequence

from shared.core.service import Effect, Happening, Moment, Stop, StopAsked
from shared.mesh.service import Plan, run


class IdleCore:
    """Ends when it is told to."""

    def handle(self, happening: Happening, _now: Moment) -> Sequence[Effect]:
        """Do nothing but stop."""
        return (Stop(),) if isinstance(happening, StopAsked) else ()


if __name__ == "__main__":
    sys.exit(run(Plan(instance="metrics", core=IdleCore())))
