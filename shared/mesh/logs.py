"""Logs: one pipe for our events, the libraries' records, warnings and crashes, with the redactor at its end.

A process calls `configure` once, with everything it needs. Each event is one JSON line, or readable text on a
terminal, with UTC time, level, role, event name and its keys. Logging never raises into its caller, and never waits
for whoever reads it: a line is rendered where it is logged, since what it speaks of may change, and written elsewhere.
"""

import json
import logging
import sys
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Final, Literal, TextIO

import structlog
from pydantic import SecretStr
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.mesh.line_writer import LineWriter
from shared.mesh.redaction import TRACEBACK_KEYS, SecretRedactor

LINE_CHARACTERS_MAX = 64 * 1024
LineFormat = Literal["auto", "json", "pretty"]
LINE_PARTS = ("timestamp", "level", "role", "event")


def configure(
    *, stream: TextIO, level: str, line_format: LineFormat, role: str, secrets: Iterable[SecretStr] = ()
) -> None:
    """Send everything this process logs, warns of or dies from through one redacting pipe into the stream."""
    pretty = line_format == "pretty" or (line_format == "auto" and stream.isatty())
    formatter = _formatter(role=role, secrets=secrets, pretty=pretty, colors=stream.isatty())
    handler = _Handler(LineWriter(stream, dropped=lambda lines: formatter.format(_dropped(lines))))
    handler.addFilter(_renderable)
    handler.setFormatter(formatter)
    # Otherwise a failing handler writes the record, secrets and all, to standard error.
    logging.raiseExceptions = False
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    sys.excepthook = _log_crash
    sys.unraisablehook = _log_ignored
    threading.excepthook = _log_thread_crash


class _Handler(logging.Handler):
    """Renders a record at once, and has it written. `logging` closes it when the process ends."""

    def __init__(self, writer: LineWriter) -> None:
        super().__init__()
        self._writer: Final = writer

    def emit(self, record: logging.LogRecord) -> None:
        """Render and hand on."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - a stranger's record may raise anything when it is rendered
            self.handleError(record)
        else:
            self._writer.put(line)

    def close(self) -> None:
        """Give what still waits a moment to be written."""
        self._writer.close()
        super().close()


def _dropped(lines: int) -> logging.LogRecord:
    """Return the record that says how many lines there was no room for."""
    level = logging.WARNING
    said = {"levelno": level, "levelname": logging.getLevelName(level), "msg": "log lines were dropped"}
    return logging.makeLogRecord({**said, "name": "logs", "dropped_lines": lines})


def _formatter(
    *, role: str, secrets: Iterable[SecretStr], pretty: bool, colors: bool
) -> structlog.stdlib.ProcessorFormatter:
    """Return the pipe itself, which our events and foreign records share."""

    def add_role(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {**event, "role": role}

    processors: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_role,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _head_first,
        SecretRedactor(secrets),
    ]
    renderer = (
        [
            _indent_tracebacks,
            structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback),
        ]
        if pretty
        else [_json_line]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder()], processors=[*processors, *renderer]
    )


def _renderable(record: logging.LogRecord) -> bool:
    """Replace the message of a foreign record whose arguments do not fit it; the record itself is kept."""
    if hasattr(record, "_logger"):
        return True
    try:
        record.getMessage()
    except Exception:  # noqa: BLE001 - arguments of a library may raise anything when they are formatted
        record.msg, record.args = "a log record could not be rendered", None
    return True


def _head_first(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put what every line has in front, in the same order, for eyes and for `grep`."""
    return {**{key: event[key] for key in LINE_PARTS if key in event}, **event}


def _indent_tracebacks(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Indent every line of a traceback, so that no message inside it can pose as an event of ours."""
    return {
        key: value.replace("\n", "\n    | ") if key in TRACEBACK_KEYS and isinstance(value, str) else value
        for key, value in event.items()
    }


def _json_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    line = json.dumps(event)
    if len(line) <= LINE_CHARACTERS_MAX:
        return line
    head = {key: event[key] for key in LINE_PARTS if key in event}
    return json.dumps({**head, "dropped_characters": len(line)})


def _log_ignored(crash: "sys.UnraisableHookArgs") -> None:
    """Log what Python cannot raise, such as an error in `__del__`; its own words would go to standard error."""
    error = crash.exc_value if crash.exc_value is not None else crash.exc_type()
    trace = (crash.exc_type, error, crash.exc_traceback)
    logging.getLogger("crash").error("exception ignored", exc_info=trace, extra={"raised_in": crash.object})


def _log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger("crash").critical("process crashed", exc_info=(kind, error, trace))


def _log_thread_crash(crash: threading.ExceptHookArgs) -> None:
    error = crash.exc_value if crash.exc_value is not None else crash.exc_type()
    logging.getLogger("crash").critical("thread crashed", exc_info=(crash.exc_type, error, crash.exc_traceback))
