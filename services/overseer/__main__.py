"""The overseer's process: `python -m services.overseer`, started by supervisord as its event listener."""

import argparse
import sys
from pathlib import Path

from services.overseer.core import OverseerCore
from services.overseer.pipe import SupervisorPipe
from shared.mesh.service import Plan, run
from shared.mesh.service.start import PROJECT


def main() -> int:
    """Run the overseer."""
    parser = argparse.ArgumentParser(prog="overseer", description=__doc__)
    parser.add_argument("--root", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    root: Path = parser.parse_args().root
    return run(Plan(instance="overseer", core=OverseerCore(), outside=SupervisorPipe(root)), root=root)


if __name__ == "__main__":
    sys.exit(main())
