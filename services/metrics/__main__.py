"""The process of metrics: `python -m services.metrics`."""

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from services.metrics.core.gatherer import MetricsCore
from services.metrics.core.vocabulary import PageServed
from services.metrics.shell import MetricsShell
from shared.mesh.exit_codes import UNUSABLE
from shared.mesh.instances import INSTANCE
from shared.mesh.program_file import ProgramFileError, read_program_file
from shared.mesh.redis_place import NoRedis, RedisPlaceError, redis_place
from shared.mesh.service import Plan, run
from shared.mesh.service.start import PROJECT
from shared.mesh.settings import Configuration, SettingsError, load_configuration
from shared.mesh.webhook_place import WebhookPlaceError, webhook_place

INSTANCE_NAME: Final = "metrics"
SNAPSHOT: Final = "snapshot"


def main() -> int:
    """Run metrics."""
    parser = argparse.ArgumentParser(prog="metrics", description=__doc__)
    parser.add_argument("--root", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    root: Path = parser.parse_args().root
    try:
        configuration = load_configuration(root=root, environment=os.environ)
        place = redis_place(configuration, os.environ)
        webhook = webhook_place(configuration, os.environ)
    except (RedisPlaceError, SettingsError, WebhookPlaceError) as error:
        sys.stderr.write(f"{INSTANCE_NAME}: {error}\n")
        return UNUSABLE
    instances = instances_of(configuration)
    core = MetricsCore(
        instances=instances,
        expected=expected_of(root),
        feeds=[instance for instance in instances if instance.partition("-")[0] == "feed"],
        has_store=not isinstance(place, NoRedis),
        posts_alerts=webhook is not None,
    )
    shell = MetricsShell(door=configuration.settings.metrics.door, place=place, webhook=webhook)
    plan = Plan(instance=INSTANCE_NAME, core=core, answers=(SNAPSHOT,), outside=shell, open_with=PageServed)
    return run(plan, root=root)


def instances_of(configuration: Configuration) -> list[str]:
    """Return every instance that there is a key for; an operator is a person, and has no heart that beats."""
    names = sorted(file.stem for file in configuration.keys_directory.glob("*.public"))
    return [name for name in names if INSTANCE.fullmatch(name) and name.partition("-")[0] != "operator"]


def expected_of(root: Path) -> frozenset[str]:
    """Return the instances that supervisord is told to run here; none where its file cannot tell."""
    try:
        return frozenset(read_program_file(root).instances)
    except ProgramFileError:
        return frozenset()  # `bowline up` and `status` say what is wrong with it


if __name__ == "__main__":
    sys.exit(main())
