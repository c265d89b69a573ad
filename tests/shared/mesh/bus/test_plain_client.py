"""The client that the documentation shows, in plain pyzmq and msgpack, is served."""

import asyncio
import re
import sys
from pathlib import Path

from proto.control import AskLimits, LimitsAnswered
from shared.mesh.bus.requests import Request, Responder
from tests.proto.examples import A_LIMIT_USE
from tests.shared.mesh.bus.conftest import Mesh

PAGE = Path(__file__).parents[4] / "docs" / "how-does-a-message-travel.md"


async def test_the_client_on_the_page_talks_to_a_service(mesh: Mesh, run_directory: Path) -> None:
    """The script is taken from the page as it stands, runs in a process of its own, and prints the answer."""
    script = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(script) == 1
    risk = mesh.process("risk")
    asked: list[Request] = []

    def on_request(request: Request) -> None:
        asked.append(request)
        responder.answer(request, LimitsAnswered(limits=(A_LIMIT_USE,)))

    responder = Responder(
        hub=risk.hub, name="control", sender=risk.sender, clock=risk.clock, codec=risk.codec, on_request=on_request
    )
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", script[0], str(run_directory), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(client.communicate(), 90)
    assert client.returncode == 0
    assert said.decode().startswith("['limits_answered.1', [['exposure_total'")
    assert asked[0].envelope.body == AskLimits(actor="ada")
