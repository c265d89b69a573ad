"""The exchange under supervisord, by its block in the file."""

import importlib
import io
import sys
from typing import Any, cast

from services.cli import VERBS
from shared.mesh.verb import Streams
from tests.house.tree import CHECKOUT
from tests.services.sim_exchange.exchange_process import ExchangeProject
from tests.services.supervision.harness import overseen_by_us, program


def said(project: ExchangeProject, verb: str, *words: str) -> str:
    """Run a verb of supervision that must not fail, and return what it said."""
    output, errors = io.StringIO(), io.StringIO()
    module = cast("Any", importlib.import_module(VERBS[verb].module))
    code = module.run([*words, "--root", str(project.root)], environment={}, streams=Streams(output, errors))
    assert code == 0, output.getvalue() + errors.getvalue()
    return output.getvalue()


def test_supervised_exchange_comes_back() -> None:
    """`bowline up` starts it; killed, it is back under the next epoch; `bowline down` ends it in order."""
    with ExchangeProject() as project:
        settings = program("exchange")
        settings["command"] = f'"{sys.executable}" -m services.sim_exchange --root {project.root}'
        settings["directory"] = str(CHECKOUT)
        block = "".join(f"{name}={value}\n" for name, value in settings.items())
        (project.root / "supervisord.conf").write_text(f"{overseen_by_us(project.root)}\n[program:exchange]\n{block}")
        try:
            assert "exchange" in said(project, "up")
            assert "epoch 2" in said(project, "crash", "exchange")
        finally:
            ended = said(project, "down")
        assert "stopped in order" in next(line for line in ended.splitlines() if line.startswith("exchange: "))
