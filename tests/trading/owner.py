"""The owner of the money: stops the mesh in every way there is, looks at the exchange, and starts again."""

import io
from decimal import Decimal
from typing import Final

from proto.control import ControlDone, Kill
from proto.envelope import Body
from proto.fields import Role
from proto.orders import FlatnessTold, OrderEnded, SendMarked
from services.control import clear_kill, entries, kill
from services.sim_exchange.process import FOLDER, LOG_FOLDER
from services.verify.checker.evidence import PREFIX
from services.verify.checker.exchange_log import read_log
from shared.mesh.halt_file import HaltFile
from shared.mesh.verb import Streams
from tests.trading.mesh import ACCOUNT, TradingMesh
from tests.trading.project import SYMBOLS

NAME: Final = "ada"
FEE_FRACTION: Final = Decimal("0.002")  # of what was bought at most; it is taken in coins, so it is not left to be sold
CRUMBS: Final = Decimal("0.001")  # less than a step of any symbol
WAIT_S: Final = "60"  # for FLAT: only a test that fails waits so long


class Owner:
    """Acts as an operator, by the verbs and by the sockets."""

    def __init__(self, mesh: TradingMesh) -> None:
        self._mesh: Final = mesh
        self._file: Final = HaltFile(mesh.root / "var")

    @property
    def latch_id(self) -> str | None:
        """Which latch the HALT file stands for, None while there is none."""
        latch = self._file.latch()
        return None if latch is None else latch.latch_id

    def kill(self, reason: str, wait_s: str = WAIT_S) -> tuple[int, str]:
        """Run `bowline kill`, and return its code and all that it said."""
        output = io.StringIO()
        words = ["--root", str(self._mesh.root), "--actor", NAME, "--wait", wait_s, reason]
        return kill.run(words, environment={}, streams=Streams(output, output)), output.getvalue()

    def touch(self) -> None:
        """Make the HALT file as a hand does."""
        self._file.path.touch()

    def press(self, instance: Role, reason: str) -> None:
        """Press kill at the control socket of one process."""
        answer = self.ask(instance, Kill(NAME, reason))
        assert isinstance(answer, ControlDone), answer

    def ask(self, instance: Role, body: Body) -> Body:
        """Ask one process, until it answers."""
        return self._mesh.asker.answered("operator", instance, "control", body)

    def clear(self, wait_s: str = WAIT_S) -> tuple[int, str]:
        """Run `bowline clear-kill` as somebody who answers yes, and return its code and all that it said."""
        output = io.StringIO()
        words = ["--root", str(self._mesh.root), "--actor", NAME, "--wait", wait_s, "looked at it"]
        code = clear_kill.run(words, environment={}, streams=Streams(output, output), ask=lambda _: clear_kill.YES)
        return code, output.getvalue()

    def resume(self) -> tuple[int, str]:
        """Run `bowline resume` of everything, and return its code and all that it said."""
        output = io.StringIO()
        words = ["--root", str(self._mesh.root), "--actor", NAME, "looked at it"]
        code = entries.run(entries.RESUME, words, environment={}, streams=Streams(output, output))
        return code, output.getvalue()

    def cleared(self) -> None:
        """Clear the latch, and hold that nothing of it is left."""
        code, said = self.clear()
        assert code == 0, said
        assert self.latch_id is None

    def told_flat(self) -> bool:
        """Tell whether the executor has said of the latch that all is flat, as its last word."""
        told = [one for one in self._mesh.written.by_executor(FlatnessTold) if one.flatten_id == self.latch_id]
        return bool(told) and told[-1].is_flat

    def is_flat(self) -> None:
        """Hold that it is so by the exchange's own word: nothing rests, and what was bought is sold, and no more."""
        for symbol in SYMBOLS:
            orders = self._mesh.admin.orders(ACCOUNT, symbol.replace("/", ""))
            assert not [order for order in orders if order["status"] in {"NEW", "PARTIALLY_FILLED"}], orders
            bought, sold = (
                sum((Decimal(one["filled"]) for one in orders if one["side"] == side), Decimal(0))
                for side in ("BUY", "SELL")
            )
            assert 0 <= bought - sold <= bought * FEE_FRACTION + CRUMBS, f"{symbol}: {bought} bought, {sold} sold"

    def sold_at_ms(self, symbol: str) -> int:
        """Return when the last of a symbol was sold, and hold that its stop had ended before: by the exchange's log."""
        log = read_log(self._mesh.root.joinpath("var", FOLDER, LOG_FOLDER), PREFIX)
        orders = [order for order in log.ours() if order.symbol == symbol.replace("/", "")]
        sales = [order for order in orders if order.side == "sell" and order.last.filled]
        stops = [order for order in orders if order.side == "sell" and order.last.ending == "canceled"]
        assert max(stop.last.number for stop in stops) < sales[-1].first.number
        return sales[-1].last.at_ms

    def unlocked_before_sold(self, symbol: str) -> None:
        """Hold that the last stop of a symbol had ended before its last sale was sent: it locks the coins."""
        records = self._mesh.written.records()
        stops = {
            one.body.order.client_order_id
            for one in records
            if isinstance(one.body, SendMarked) and (one.body.order.purpose, one.body.order.symbol) == ("cover", symbol)
        }
        ended = [
            one.sequence
            for one in records
            if isinstance(one.body, OrderEnded) and one.body.order.client_order_id in stops
        ]
        sales = [
            one.sequence
            for one in records
            if isinstance(one.body, SendMarked) and (one.body.order.purpose, one.body.order.symbol) == ("exit", symbol)
        ]
        assert ended
        assert sales
        assert ended[-1] < sales[-1]
