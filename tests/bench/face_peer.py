"""The other process of the exchange's benchmark: the exchange itself, and a bare server that echoes, each on its port.

It writes both ports, then takes lines: how many trades to make. It ends with its input.
"""

import asyncio
import sys
from typing import Final

import uvloop
from aiohttp import web

from services.sim_exchange.face.weights import Limits
from tests.bench.lines import lines
from tests.services.sim_exchange.face.venue import Venue, serving

AT_ONCE: Final = 20  # trades between two looks at the sockets
UNLIMITED: Final = Limits(weight_per_minute=10**9, orders_per_10_seconds=10**9, orders_per_day=10**9)
ANSWER: Final = b"""{"symbol":"BTCUSDT","orderId":1,"orderListId":-1,"clientOrderId":"x-TKT5PX2F87a33149938867ad1996af",
"transactTime":1795251184392,"price":"59000.00000000","origQty":"0.00100000","executedQty":"0.00000000",
"origQuoteOrderQty":"0.00000000","cummulativeQuoteQty":"0.00000000","status":"NEW","timeInForce":"GTC","type":"LIMIT",
"side":"BUY","selfTradePreventionMode":"EXPIRE_MAKER","workingTime":1795251184392,"fills":[]}"""


async def _echo(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(body=ANSWER, content_type="application/json")


async def _trade(venue: Venue, count: int) -> None:
    for number in range(count):
        venue.order("BUY" if number % 2 else "SELL", "0.0001")
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)


async def _serve() -> None:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", _echo)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with serving(limits=UNLIMITED) as venue:
        sys.stdout.write(f"{venue.port} {runner.addresses[0][1]}\n")
        sys.stdout.flush()
        async for line in lines():
            venue.told.clear()
            await _trade(venue, int(line))
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(_serve())
