"""The load that judges a site tells what failed, and goes on."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.system.load import FEW, Load


class Answers(BaseHTTPRequestHandler):
    """All is well, but for one page."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/robots.txt" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def load() -> Iterator[Load]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        load = Load(server.server_port, "secret", ["/"], FEW * 5)
        try:
            yield load
        finally:
            load.stop()
            server.shutdown()


def test_failures_are_told_by_kind_in_every_stretch_and_in_all(load: Load):
    load.end_stretch("start")
    load.stretches.clear()
    for _ in range(2):
        threading.Event().wait(1)
        numbers = load.end_stretch("some")
        assert list(numbers.failures) == ["status 503"]
        assert 0 < numbers.failures["status 503"] < numbers.requests
    failures = [numbers.failures["status 503"] for _, numbers in load.stretches]
    assert load.total().failures == {"status 503": sum(failures)}
