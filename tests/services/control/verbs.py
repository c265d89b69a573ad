"""The verbs of an operator, run against a project in this process."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from services.control import clear_kill
from shared.mesh.verb import Streams


class Verb(Protocol):
    """What these verbs have in common."""

    def __call__(self, argv: Sequence[str], *, environment: Mapping[str, str], streams: Streams) -> int:
        """Run it."""


def ran(verb: Verb, root: Path, *words: str) -> tuple[int, str, str]:
    """Run a verb, and return its code, what it wrote, and what it complained about."""
    output, errors = io.StringIO(), io.StringIO()
    code = verb(["--root", str(root), *words], environment={}, streams=Streams(output, errors))
    return code, output.getvalue(), errors.getvalue()


def cleared_by(typed: str | None) -> Verb:
    """Return `bowline clear-kill` as it is when somebody types that, or nobody is there."""

    def verb(argv: Sequence[str], *, environment: Mapping[str, str], streams: Streams) -> int:
        return clear_kill.run(argv, environment=environment, streams=streams, ask=lambda _: typed)

    return verb
