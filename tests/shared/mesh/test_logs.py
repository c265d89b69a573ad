"""The log pipe, run in processes of their own, since it takes over logging, warnings and crashes."""

import json
import os
import re
import subprocess
import sys
from datetime import datetime

from tests.shared.mesh.settings.projects import CHECKOUT

CANARY = "CANARYcanary0123456789"
PRELUDE = f"""
import asyncio, atexit, gc, logging, sys, threading, warnings
import structlog
from pydantic import SecretStr
from shared.mesh.logs import configure
canary = "CANARY" + "canary0123456789"
configure(stream=sys.stdout, level=sys.argv[1], line_format=sys.argv[2], role="executor", secrets=[SecretStr(canary)])
log = structlog.get_logger("test")
class Unprintable:
    def __repr__(self): raise RuntimeError({CANARY!r})
"""


def logged(program: str, *, level: str = "debug", line_format: str = "json", code: int = 0) -> str:
    """Run a program behind `configure`; return what it logged, having looked for the canary everywhere."""
    command = [sys.executable, "-c", PRELUDE + program, level, line_format]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONWARNINGS": "always"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=90)
    assert result.returncode == code, result.stderr
    assert "CANARY" not in result.stdout + result.stderr
    assert result.stderr == ""
    return result.stdout


EVERYTHING = """
for level in ("debug", "info", "warning", "error", "critical"):
    getattr(log, level)("ours_" + level, key=canary, deep=[{"a": canary.encode()}], text="x" + canary)
    getattr(logging.getLogger("library"), level)("theirs " + level + " %s", canary, extra={"header": canary})
try:
    try:
        raise ValueError("first " + canary)
    except ValueError as error:
        raise KeyError(canary) from error
except KeyError:
    log.exception("failed", note=canary)
    logging.getLogger("library").exception("failed there")
warnings.warn("beware " + canary)
log.info("stack", stack_info=True)
log.info("unprintable", thing=Unprintable())
log.info("formatted %d", canary)
logging.getLogger("library").info("wrong %d", canary)
logging.getLogger("library").info("%r", Unprintable())
logging.getLogger("library").info({"a": canary})
class Falling:
    def __del__(self): raise RuntimeError(canary)
falling = Falling()
del falling
async def asynchronous():
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: [][canary])
    loop.call_exception_handler({"message": "told " + canary, "exception": ValueError(canary), "future": canary})
    failed = loop.create_future()
    failed.set_exception(LookupError(canary))
    del failed
    gc.collect()
    await asyncio.sleep(0)
asyncio.run(asynchronous())
at_exit = Falling()
atexit.register(lambda: [][canary])
thread = threading.Thread(target=lambda: [][canary])
thread.start(); thread.join()
log.info("forged", text="a\\n{\\"level\\": \\"info\\"}\\x1b[2J", level="critical", timestamp="never", role="owner")
raise RuntimeError(canary)
"""


def test_every_way_in_ends_in_json_lines_without_the_secret() -> None:
    """Our events, foreign records, exceptions, warnings and crashes are JSON lines with time, level, role, event."""
    events = [json.loads(line) for line in logged(EVERYTHING, code=1).splitlines()]
    for event in events:
        assert list(event)[:4] == ["timestamp", "level", "role", "event"]
        assert event["role"] == "executor"
        assert datetime.fromisoformat(event["timestamp"]).utcoffset() is not None
    by_name = {event["event"]: event for event in events}
    levels = ("debug", "info", "warning", "error", "critical")
    assert [by_name[f"ours_{level}"]["level"] for level in levels] == list(levels)
    assert [by_name[f"theirs {level} [redacted]"]["level"] for level in levels] == list(levels)
    assert "The above exception was the direct cause" in by_name["failed"]["exception"]
    assert "KeyError" in by_name["failed there"]["exception"]
    assert by_name["forged"]["level"] == "info"
    assert by_name["unprintable"]["thing"] == "<unprintable Unprintable>"
    assert "Stack" in by_name["stack"]["stack"]
    assert any("beware [redacted]" in name for name in by_name)
    ignored = [event["exception"] for event in events if event["event"] == "exception ignored"]
    assert [text.rpartition("\n")[2].partition(":")[0] for text in ignored] == ["RuntimeError", "TypeError"]
    for beginning in ("told [redacted]", "Future exception was never retrieved", "Exception in callback"):
        assert any(name.startswith(beginning) and "exception" in event for name, event in by_name.items())
    assert "TypeError" in by_name["thread crashed"]["exception"]
    assert "RuntimeError: [redacted]" in by_name["process crashed"]["exception"]
    assert sum(event["event"] == "a log record could not be rendered" for event in events) == 2


def test_readable_text_cannot_be_forged() -> None:
    """On a terminal each event starts its own line with a time; what an exception brings is indented."""
    forgery = "2026-01-01T00:00:00Z [info ] forged"
    program = f"""
try:
    raise ValueError("x\\n{forgery}")
except ValueError:
    log.exception("failed", text="y\\n{forgery}", **{{"k\\n{forgery}": 1}})
"""
    lines = logged(program, line_format="pretty").splitlines()
    assert "failed" in lines[0]
    assert [line for line in lines[1:] if re.match(r"\d{4}-", line)] == []


def test_readable_text_without_the_secret() -> None:
    """The readable dress passes the same redactor."""
    assert "ours_debug" in logged(EVERYTHING, line_format="pretty", code=1)


def test_the_level_holds_for_everybody() -> None:
    """What lies below the level is not written, be it ours or a library's."""
    program = "\n".join(EVERYTHING.splitlines()[:4])
    levels = [json.loads(line)["level"] for line in logged(program, level="error").splitlines()]
    assert levels == ["error", "error", "critical", "critical"]


def test_one_event_cannot_flood() -> None:
    """A line has a bound; what would pass it is dropped, and the drop is told (in JSON, as `auto` is into a pipe)."""
    line = logged("log.info('big', **{f'k{n}': 'x' * 4000 for n in range(400)})", line_format="auto")
    assert len(line) < 1000
    assert json.loads(line)["dropped_characters"] > 100_000


def test_a_reader_who_went_away_ends_nothing() -> None:
    """When the stream is gone, logging stays silent and the process lives."""
    program = "sys.stdout.close()\nlog.info('lost', key=canary)\nsys.stdout = open('/dev/null', 'w')"
    assert logged(program) == ""


UNREAD = """
import sys, time
import structlog
from shared.mesh.logs import configure
configure(stream=sys.stderr, level="info", line_format="json", role="executor")
log = structlog.get_logger("test")
taken = []
for number in range(10_000):
    began = time.monotonic()
    log.info("tick", number=number, text="x" * 300)
    taken.append(time.monotonic() - began)
sys.stdout.write(f"{sorted(taken)[-10]}\\n")
sys.stdout.flush()
"""


def unread(ending: str) -> subprocess.Popen[str]:
    """Start a program that logs 10,000 lines into a pipe that nobody reads yet."""
    command, environment = [sys.executable, "-c", UNREAD + ending], {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_reader_who_stands_still_stops_nobody() -> None:
    """Nobody who logs waits for the reader of a pipe; what there was no room for is counted, and said once there is."""
    with unread("sys.stdin.readline()") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        assert float(process.stdout.readline()) < 0.5  # all but some that had to wait for the processor
        lines, dropped = [], 0
        while not dropped:
            lines.append(json.loads(process.stderr.readline()))
            dropped += lines[-1].get("dropped_lines", 0)
        assert lines[-1]["event"] == "log lines were dropped"
        assert (lines[-1]["level"], lines[-1]["role"]) == ("warning", "executor")
        process.stdin.write("\n")
        process.stdin.flush()
        lines.extend(json.loads(line) for line in process.stderr)
        assert process.wait(90) == 0
    numbers = [line["number"] for line in lines if line["event"] == "tick"]
    assert numbers == sorted(set(numbers))
    assert 1_000 < len(numbers) < 10_000
    assert len(numbers) + sum(line.get("dropped_lines", 0) for line in lines) == 10_000


def test_a_reader_who_stands_still_keeps_no_process() -> None:
    """A process whose log nobody reads ends a moment after it wanted to, with its own code."""
    with unread("raise SystemExit(7)") as process:
        assert process.wait(90) == 7


def test_all_is_written_before_the_end() -> None:
    """Whatever was logged last, in whatever number, stands in the log when the process is gone."""
    program = "for number in range(2_000): log.info('tick', number=number)\nraise RuntimeError('over')"
    lines = [json.loads(line) for line in logged(program, code=1).splitlines()]
    assert [line["number"] for line in lines[:-1]] == list(range(2_000))
    assert lines[-1]["event"] == "process crashed"


def test_what_is_logged_is_how_it_was() -> None:
    """A line shows what it speaks of as it was then, with what was bound to the context, and not as it became."""
    program = """
thing, bound = [1], structlog.contextvars.bind_contextvars
bound(request="first")
log.info("before", thing=thing)
thing.append(2)
bound(request="second")
log.info("after", thing=thing)
"""
    before, after = (json.loads(line) for line in logged(program).splitlines())
    assert (before["thing"], before["request"]) == ([1], "first")
    assert (after["thing"], after["request"]) == ([1, 2], "second")


def test_a_pipe_that_is_set_not_to_block_loses_nothing() -> None:
    """Whoever shares the pipe may have set it so; the lines wait for room all the same."""
    program = """
import os
os.set_blocking(1, False)
for number in range(1_500): log.info("tick", number=number, text="x" * 300)
"""
    assert len(logged(program).splitlines()) == 1_500
