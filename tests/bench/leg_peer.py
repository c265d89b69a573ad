"""The exchange in the benchmark of the venue client's leg.

It writes its port, and at the end of its input when each order came, by its client id.
"""

from typing import Final

import uvloop

from services.sim_exchange.face.door import Request
from shared.mesh.clock import boot_ns_now
from tests.bench.face_peer import UNLIMITED
from tests.bench.lines import answer, lines
from tests.services.sim_exchange.face.venue import serving

CLIENT_ID: Final = "newClientOrderId"


async def _serve() -> None:
    came_ns: dict[str, int] = {}

    def on_request(request: Request, _account: str | None) -> None:
        if CLIENT_ID in request.sent:
            came_ns[request.sent[CLIENT_ID]] = boot_ns_now()

    async with serving(limits=UNLIMITED, on_request=on_request) as venue:
        answer(venue.port)
        async for _ in lines():
            pass
    answer(came_ns)


if __name__ == "__main__":
    uvloop.run(_serve())
