"""A project with metrics, a feed and Redis as real processes."""

import asyncio
import http.client
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Self, get_args

from prometheus_client.parser import text_string_to_metric_families
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from proto.codec import EnvelopeCodec
from proto.envelope import Body
from proto.fields import Role
from proto.measures import AskMeasures
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.keys import create_keys, load_key_ring
from shared.mesh.bus.requests import Requester, RequestTimedOutError
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import SystemClock
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory
from tests.house.tree import CHECKOUT
from tests.loopback import THIS_HOST, free_port

PATIENCE_S: Final = 90  # only a test that fails waits so long
PAUSE_MS: Final = 20

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class MetricsProject:
    """A folder with keys and settings; its processes end with it."""

    def __init__(self) -> None:
        self.root: Final = Path(tempfile.mkdtemp(prefix="bw-"))
        self.port: Final = free_port(THIS_HOST)
        (self.root / "config").mkdir()
        shutil.copy(CHECKOUT / "config/bowline.yaml", self.root / "config")
        (self.root / "config/local.yaml").write_text(f"metrics: {{port: {self.port}}}\nlogs: {{format: json}}\n")
        create_keys(PrivateDirectory(self.root / "var/keys"), get_args(Role))
        RunDirectory(self.root / "var/run").close()
        self.redis: Final = Redis(
            unix_socket_path=str(self.root / "var/run/redis.sock"),
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        self._processes: Final[list[subprocess.Popen[str]]] = []
        self._lives = 0

    def start(self, program: str, **environment: str) -> subprocess.Popen[str]:
        """Start `metrics`, `redis`, `feed` or `alarm`; its log grows in a file."""
        words = {
            "metrics": ["services.metrics", "--root", str(self.root)],
            "redis": ["services.redis_server", "--root", str(self.root)],
            "alarm": ["tests.services.metrics.alarm_program", str(self.root)],
            "feed": ["tests.services.metrics.feed_program", str(self.root)],
        }
        with (self.root / f"{program}.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *words[program]],
                cwd=CHECKOUT,
                env={"PATH": os.environ["PATH"], **environment},
                stdout=log,
                stderr=log,
                text=True,
            )
        self._processes.append(process)
        return process

    def log(self, program: str) -> str:
        """Return what a program has said so far."""
        return (self.root / f"{program}.log").read_text()

    def events(self) -> list[str]:
        """Return the events in the log of metrics."""
        return [json.loads(line)["event"] for line in self.log("metrics").splitlines() if line.startswith("{")]

    def get(self, path: str, method: str = "GET", accept: str = "*/*") -> tuple[int, str]:
        """Ask over HTTP; 0 where nobody listens."""
        connection = http.client.HTTPConnection(THIS_HOST, self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, headers={"Accept": accept})
            response = connection.getresponse()
            return response.status, response.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def samples(self) -> Samples:
        """Return everything on the page, by name and labels; nothing while there is none."""
        status, text = self.get("/metrics")
        if status != http.HTTPStatus.OK:
            return {}
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def sample(self, name: str, **labels: str) -> float | None:
        """Return one sample, None where there is none."""
        return self.samples().get((name, frozenset(labels.items())))

    def symbol(self, name: str = "BTC/USDT") -> dict[str, str]:
        """Return what Redis has of a symbol; nothing while it does not answer."""
        with suppress(RedisError):
            return {
                str(field): str(value) for field, value in self.redis.hgetall(f"bowline:symbol:made_up:{name}").items()
            }
        return {}

    def history_points(self) -> int:
        """Return how long a history in Redis is; 0 while it does not answer."""
        with suppress(RedisError):
            return int(self.redis.llen("bowline:history:made_up:BTC/USDT"))
        return 0

    def ask(self, request: AskMeasures) -> Body:
        """Ask metrics over its socket, as the dashboard, until it answers."""
        found: list[Body] = []

        def is_answered() -> bool:
            with suppress(RequestTimedOutError):
                found.append(asyncio.run(self._asked(request)))
            return bool(found)

        eventually(is_answered)
        return found[0]

    async def _asked(self, request: AskMeasures) -> Body:
        clock, codec = SystemClock(), EnvelopeCodec()
        self._lives += 1  # each asks under ids of its own
        with PrivateDirectory(self.root / "var/keys") as keys, RunDirectory(self.root / "var/run") as run_directory:
            ring = load_key_ring(keys, "dashboard")
            hub = Hub(loop=asyncio.get_running_loop(), keys=ring, run_directory=run_directory, overrides={})
            try:
                sender = Sender(instance="dashboard", epoch=self._lives, clock=clock)
                requester = Requester(
                    hub=hub, instance="metrics", name="snapshot", sender=sender, clock=clock, codec=codec
                )
                return (await requester.ask(request)).envelope.body
            finally:
                hub.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.redis.close()
        for process in self._processes:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(PATIENCE_S)
        shutil.rmtree(self.root)


def eventually(holds: Callable[[], object]) -> None:
    """Look until something holds."""
    for _ in range(PATIENCE_S * 1_000 // PAUSE_MS):
        if holds():
            return
        select.poll().poll(PAUSE_MS)
    raise AssertionError("it never came to that")
