"""Visitors, people at the admin's door and GitHub, all at once: a load that counts every failure.

Run as a program beside the tests, so that neither starves the other. Each line on its input ends a
stretch of time; the answer is one line of JSON with the numbers of that stretch.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

CLIENTS = 16
# Requests a second, all clients together.
MANY = 215.0
FEW = 20.0
TIMEOUT = 30.0


@dataclass
class Numbers:
    """Of one stretch: every request counts, also one that was answered late or not at all."""

    requests: int = 0
    seconds: float = 0.0
    worst_wait: float = 0.0
    resent: int = 0  # closed without an answer and sent again, as browsers do
    failures: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return self.requests / self.seconds

    def __str__(self) -> str:
        failed = sum(self.failures.values())
        return (
            f"{self.requests} requests in {self.seconds:.1f} s ({self.rate:.0f}/s), "
            f"{failed} failed, {self.resent} sent again, worst wait {self.worst_wait * 1000:.0f} ms"
        )


class Load:
    """The program, started and asked from a test."""

    def __init__(self, port: int, secret: str, pages: list[str], rate: float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.system.load", str(port), secret, str(rate), *pages],
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.stretches: list[tuple[str, Numbers]] = []

    def end_stretch(self, name: str) -> Numbers:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        numbers = Numbers(**json.loads(self.process.stdout.readline()))
        self.stretches.append((name, numbers))
        return numbers

    def total(self) -> Numbers:
        total = Numbers()
        for _, numbers in self.stretches:
            total.requests += numbers.requests
            total.seconds += numbers.seconds
            total.resent += numbers.resent
            total.worst_wait = max(total.worst_wait, numbers.worst_wait)
            for problem, count in numbers.failures.items():
                total.failures[problem] = total.failures.get(problem, 0) + count
        return total

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@dataclass(frozen=True)
class Request:
    data: bytes
    statuses: tuple[int, ...]


def make_requests(port: int, secret: str, pages: list[str]) -> list[Request]:
    """Most of it cheap, as of a site with a cache in front; one in 25 is work for Django."""
    dear = [get(port, page) for page in pages]
    dear += [get(port, "/admin/login/"), ping(port, secret), get(port, "/admin/login/")]
    cheap = [get(port, "/robots.txt"), get(port, "/healthz"), get(port, "/hooks/github/")]
    return [request for one in dear for request in (one, *cheap * 8)]


def get(port: int, path: str) -> Request:
    return Request(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n".encode(), (200,))


def ping(port: int, secret: str) -> Request:
    body = json.dumps({"zen": "Keep it running.", "hook_id": 1}).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    head = (
        f"POST /hooks/github/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        "Content-Type: application/json\r\nX-GitHub-Event: ping\r\nX-GitHub-Hook-ID: 7\r\n"
        f"X-GitHub-Delivery: load\r\nX-Hub-Signature-256: sha256={signature}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return Request(head.encode() + body, (200, 202))


class Client:
    """One after the other, at its share of the rate; one in four connects anew each time."""

    def __init__(self, port: int, number: int, rate: float, requests: list[Request]) -> None:
        self.port = port
        self.number = number
        self.pause = CLIENTS / rate
        self.keeps = number % 4 != 0
        self.requests = requests
        self.connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def run(self, numbers: list[Numbers]) -> None:
        due = time.monotonic() + self.pause * self.number / CLIENTS
        turn = self.number
        while True:
            await asyncio.sleep(max(due - time.monotonic(), 0))
            due = max(due + self.pause, time.monotonic() - 1)  # catch up, but not for ever
            turn += 1
            await self.ask(self.requests[turn % len(self.requests)], numbers)

    async def ask(self, request: Request, numbers: list[Numbers]) -> None:
        begun = time.monotonic()
        problem = ""
        try:
            async with asyncio.timeout(TIMEOUT):
                problem = await self.send(request, numbers)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            problem = repr(error)
            self.drop()
        now = numbers[0]
        now.requests += 1
        now.worst_wait = max(now.worst_wait, time.monotonic() - begun)
        if problem:
            now.failures[problem] = now.failures.get(problem, 0) + 1

    async def send(self, request: Request, numbers: list[Numbers]) -> str:
        try:
            status = await self.exchange(request)
        except (ConnectionResetError, BrokenPipeError, asyncio.IncompleteReadError) as error:
            self.drop()
            if isinstance(error, asyncio.IncompleteReadError) and error.partial:
                raise
            numbers[0].resent += 1
            status = await self.exchange(request)
        return "" if status in request.statuses else f"status {status}"

    async def exchange(self, request: Request) -> int:
        if self.connection is None:
            self.connection = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.connection
        data = request.data
        if b"\r\n\r\n" not in data:
            data += b"" if self.keeps else b"Connection: close\r\n"
            data += b"\r\n"
        writer.write(data)
        head = await reader.readuntil(b"\r\n\r\n")
        status, headers = parse(head)
        await reader.readexactly(int(headers["content-length"]))
        if not self.keeps or headers.get("connection") == "close":
            self.drop()
        return status

    def drop(self) -> None:
        if self.connection:
            self.connection[1].close()
        self.connection = None


def parse(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    return int(first.split()[1]), {k.lower(): v.strip().lower() for k, _, v in pairs}


async def main(port: int, secret: str, rate: float, pages: list[str]) -> None:
    requests = make_requests(port, secret, pages)
    numbers, begun = [Numbers()], time.monotonic()
    clients = [Client(port, number, rate, requests) for number in range(CLIENTS)]
    running = [asyncio.create_task(client.run(numbers)) for client in clients]
    orders: asyncio.Queue[Any] = asyncio.Queue()
    asyncio.get_running_loop().add_reader(
        sys.stdin.fileno(), lambda: orders.put_nowait(sys.stdin.readline())
    )
    while await orders.get():
        numbers[0].seconds, begun = time.monotonic() - begun, time.monotonic()
        print(json.dumps(asdict(numbers[0])), flush=True)
        numbers[0] = Numbers()
    for task in running:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4:]))
