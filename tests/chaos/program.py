"""The process of each service of the chaos tests: `python -m tests.chaos.program INSTANCE --root DIRECTORY`."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from shared.core.service import Effect, Happening, Moment
from shared.mesh.service import JournaledPlan, Plan, run
from tests.chaos.duty import Duty
from tests.chaos.follower import FollowerCore
from tests.chaos.publisher import PublisherCore
from tests.chaos.requester import RequesterCore
from tests.chaos.server import ServerCore
from tests.chaos.subscriber import SubscriberCore
from tests.chaos.testimony import Line
from tests.chaos.witness import Witness


class ClumsyCore(Duty):
    """Has a defect, which shows as soon as it begins."""

    def begin(self, past: Sequence[Line], now: Moment) -> Sequence[Effect]:
        """Stumble."""
        del past, now
        raise ZeroDivisionError("a defect that was put here")

    def work(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Never get so far."""
        raise AssertionError(happening, now)


def _plan_of_publisher(root: Path) -> Plan:
    outside = Witness(root, "feed", remembers=False)
    return Plan(instance="feed", core=PublisherCore(), publishes_market=True, outside=outside)


def _plan_of_server(root: Path) -> Plan:
    outside = Witness(root, "executor", remembers=False)
    return JournaledPlan(instance="executor", core=ServerCore(), answers=("exits",), reports="reports", outside=outside)


PLANS: Final[Mapping[str, Callable[[Path], Plan]]] = MappingProxyType(
    {
        "feed": _plan_of_publisher,
        "metrics": lambda root: Plan(
            instance="metrics", core=SubscriberCore(), outside=Witness(root, "metrics", remembers=False)
        ),
        "executor": _plan_of_server,
        "strategy": lambda root: Plan(
            instance="strategy", core=RequesterCore(), outside=Witness(root, "strategy", remembers=True)
        ),
        "recorder": lambda root: Plan(
            instance="recorder", core=FollowerCore(), outside=Witness(root, "recorder", remembers=True)
        ),
        "dashboard": lambda root: Plan(
            instance="dashboard", core=ClumsyCore(), outside=Witness(root, "dashboard", remembers=False)
        ),
    }
)


def main() -> int:
    """Run one of them."""
    parser = argparse.ArgumentParser(prog="tests.chaos.program", description=__doc__)
    parser.add_argument("instance", choices=PLANS)
    parser.add_argument("--root", type=Path, required=True)
    arguments = parser.parse_args()
    return run(PLANS[arguments.instance](arguments.root), root=arguments.root)


if __name__ == "__main__":
    sys.exit(main())
