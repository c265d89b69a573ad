"""Somebody's webhook: a real server on this host that takes, refuses, sends on, or says nothing for a while."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from tests.loopback import THIS_HOST, free_port

PATH: Final = "/hooks/CANARY-secret-path"


class Reader:
    """Answers with what `answers` has next, and with 204 when that is used up; None is no answer until it ends."""

    def __init__(self) -> None:
        self.port: Final = free_port(THIS_HOST)
        self.address: Final = f"http://{THIS_HOST}:{self.port}{PATH}"
        self.answers: Final[list[int | None]] = []
        self.taken: Final[list[dict[str, Any]]] = []
        self.asked = 0
        self._ends: Final = threading.Event()
        self._server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        """Enter; nobody listens yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End, and answer nobody any more."""
        self._ends.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def listen(self) -> None:
        """Take requests from now on."""
        reader = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                reader.asked += 1
                content = self.rfile.read(int(self.headers["Content-Length"]))
                answer = reader.answers.pop(0) if reader.answers else 204
                if answer is None:
                    reader._ends.wait()
                    return
                if answer == 204:
                    reader.taken.append(json.loads(content) | {"path": self.path})
                self.send_response(answer)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((THIS_HOST, self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
