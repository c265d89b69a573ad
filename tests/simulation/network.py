"""What lies between the gateway and the venue. What a request does there and what is heard of it are two things."""

from collections.abc import Callable
from typing import Final

from shared.mesh.gateway.reply import Heard, Reply, Silence
from tests.simulation.replies import SPOILED, TURNED_AWAY
from tests.simulation.scheduler import MILLISECOND_NS, SECOND_NS, Dice, Scheduler
from tests.simulation.weather import Weather

TIMEOUT_NS: Final = 3 * SECOND_NS
HELD_NS_MAX: Final = 8 * SECOND_NS
SILENCE: Final = Silence("no answer within 3 s", may_have_left=True)


class Network:
    """The way there and back."""

    def __init__(self, scheduler: Scheduler, weather: Weather, dice: Dice) -> None:
        self.after: Final = scheduler.after
        self.weather: Final = weather
        self._dice: Final = dice.of("network")

    def delay_ns(self) -> int:
        """Return how long one way takes."""
        return self._dice.randint(5, 40) * MILLISECOND_NS + self.late_ns("latency", 800 * MILLISECOND_NS)

    def late_ns(self, fault: str, longest_ns: int) -> int:
        """Return by how much a fault delays something, if it strikes."""
        return self.weather.amount(fault, 0, longest_ns) if self.weather.strikes(fault) else 0

    def spoiled(self) -> Reply:
        """Return an answer that proves nothing."""
        return SPOILED[self.weather.amount("error", 0, len(SPOILED) - 1)]

    def turned_away(self) -> Reply:
        """Return an answer that proves that nothing was done."""
        return TURNED_AWAY[self.weather.amount("turned away", 0, len(TURNED_AWAY) - 1)]


class Request:
    """One request. What was heard may be heard twice, where an answer comes again; silence is heard once."""

    def __init__(self, network: Network, arrived: Callable[[], Reply], heard: Callable[[Heard], None]) -> None:
        self._network: Final = network
        self._arrived: Final = arrived
        self._heard: Final = heard
        self._is_open = True

    def send(self) -> None:
        """Send it, once."""
        network = self._network
        network.after(TIMEOUT_NS, lambda: self._answer(SILENCE))
        if not network.weather.strikes("request lost"):
            network.after(network.delay_ns() + network.late_ns("request held", HELD_NS_MAX), self._arrive)

    def _arrive(self) -> None:
        network, strikes = self._network, self._network.weather.strikes
        if strikes("error and not done"):
            network.after(network.delay_ns(), lambda: self._answer(network.spoiled()))
            return
        reply = self._arrived()
        if strikes("error though done"):
            network.after(network.delay_ns(), lambda: self._answer(network.spoiled()))
        elif not strikes("reply lost"):
            late_ns = network.late_ns("reply late", 2 * TIMEOUT_NS)
            network.after(network.delay_ns() + late_ns, lambda: self._answer(reply))
            if strikes("reply doubled"):
                again_ns = late_ns + network.weather.amount("reply doubled", 0, SECOND_NS)
                network.after(network.delay_ns() + again_ns, lambda: self._answer(reply, is_again=not self._is_open))

    def _answer(self, heard: Heard, *, is_again: bool = False) -> None:
        if self._is_open or is_again:
            self._is_open = False
            self._heard(heard)
