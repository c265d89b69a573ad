"""The second port of a simulated exchange, where it is told to fail and says what is true."""

import json
import urllib.request
from pathlib import Path
from typing import Any, Final

from services.sim_exchange.process import FOLDER
from tests.services.sim_exchange.exchange_process import PATIENCE_S


class ExchangeAdmin:
    """Commands the exchange of one project."""

    def __init__(self, root: Path, port: int) -> None:
        self._token: Final = root / "var" / FOLDER / "sim-exchange-admin.token"
        self._port: Final = port

    def fault(self, **fault: object) -> str:
        """Have the exchange fail, and return the name of the fault."""
        name: str = self._asked("POST", "/faults", fault)["id"]
        return name

    def fired(self, name: str) -> int:
        """Return how often a fault has struck."""
        (found,) = [fault for fault in self._asked("GET", "/faults")["faults"] if fault["id"] == name]
        count: int = found["fired"]
        return count

    def end_fault(self, name: str) -> None:
        """Let the exchange behave again."""
        self._asked("DELETE", f"/faults/{name}")

    def end_faults(self) -> None:
        """Let the exchange behave again altogether."""
        self._asked("DELETE", "/faults")

    def transfer(self, account: str, asset: str, amount: str) -> None:
        """Bring money in, or take it out."""
        self._asked("POST", "/transfer", {"account": account, "asset": asset, "amount": amount})

    def orders(self, account: str, symbol: str) -> list[dict[str, Any]]:
        """Return the orders of an account in a symbol as they truly are."""
        found: list[dict[str, Any]] = self._asked("GET", f"/orders?account={account}&symbol={symbol}")["orders"]
        return found

    def _asked(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  # whatever it answers
        request = urllib.request.Request(  # our own exchange
            f"http://127.0.0.1:{self._port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self._token.read_text().strip()}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310  # our own exchange
            return json.loads(answer.read() or b"null")
