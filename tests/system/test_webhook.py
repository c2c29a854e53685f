"""The webhook behind the real gunicorn, on SQLite and on PostgreSQL: sockets, races, big bodies."""

import http.client
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from tests.deployhooks.hooks import SECRET, make_checkout, make_headers, make_push
from tests.disks import filled, small_disk
from tests.postgres import private_server, running_server

PROJECT = Path(__file__).resolve().parents[2]
MIB = 1024 * 1024
PATH = "/hooks/github/"
TABLES = [
    "deployhooks_deploy_deliveries",
    "deployhooks_deploy",
    "deployhooks_delivery",
    "deployhooks_refusal",
    "django_q_ormq",
]


class Web:
    """gunicorn with a database of its own; nothing else of the site runs."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.database_url = database_url
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (folder / "secret.txt").write_bytes(SECRET)
        self.environment = {
            **os.environ,
            "DATA_DIR": str(folder / "var"),
            "DATABASE_URL": database_url,
            "DEPLOY_CHECKOUT": str(make_checkout(folder / "site")),
            "GITHUB_WEBHOOK_SECRET_FILE": str(folder / "secret.txt"),
            "PORT": str(self.port),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        for command in ("migrate", "collectstatic"):
            self.manage(command, "--noinput")

    def manage(self, *args: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *args],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def running(self) -> Iterator["Web"]:
        with (self.folder / "log").open("wb") as log:
            master = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "blogsite/gunicorn_conf.py"],
                cwd=PROJECT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        try:
            self._wait(master)
            self.master = psutil.Process(master.pid)
            yield self
        finally:
            master.terminate()
            master.wait(60)

    def _wait(self, master: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 60
        while True:
            assert master.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def send(self, body: bytes, path: str = PATH, **headers: str | None) -> tuple[int, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with closing(connection):
            headers = {"Content-Type": "application/json", **make_headers(body, **headers)}
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def exchange(self, head: str, *pieces: bytes, half_close: bool = False) -> bytes:
        """Send raw bytes and return all that comes back until the server closes or is silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=15) as connection:
            connection.sendall(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n")
            for piece in pieces:
                connection.sendall(piece)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            response = http.client.HTTPResponse(connection)
            response.begin()
            return b"%d " % response.status + response.read()

    def count(self, table: str) -> int:
        statement = f"SELECT count(*) FROM {table}"
        with closing(self.connect()) as database:
            return database.execute(statement).fetchone()[0]

    def connect(self) -> sqlite3.Connection | psycopg.Connection:
        if self.database_url.startswith("sqlite"):
            return sqlite3.connect(urlsplit(self.database_url).path, isolation_level=None)
        return psycopg.connect(self.database_url, autocommit=True)

    def clear(self) -> None:
        with closing(self.connect()) as database:
            for table in TABLES:
                database.execute(f"DELETE FROM {table}")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("webhook")
    if request.param == "sqlite":
        with (
            small_disk(folder, 300),
            Web(folder, f"sqlite:///{folder}/db.sqlite3").running() as web,
        ):
            yield web
        return
    with private_server() as url, Web(folder, url).running() as web:
        yield web


@pytest.fixture
def web(served: Web) -> Web:
    served.clear()
    return served


def in_parallel(work: Callable[[int], object], number: int) -> list:
    """Do `work` in threads that begin at the same moment; return what each came to."""
    barrier = threading.Barrier(number)
    results: list = [None] * number

    def run(index: int) -> None:
        barrier.wait()
        results[index] = work(index)

    threads = [threading.Thread(target=run, args=[index]) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def reset_peak(pid: int) -> int:
    """Let the kernel measure a process's peak of memory anew; return it, in bytes."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return read_peak(pid)


def read_peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def test_copies_of_a_delivery_at_the_same_moment_make_one_deploy(web: Web):
    body = json.dumps(make_push()).encode()
    answers = in_parallel(lambda _: web.send(body, X_GitHub_Delivery="same"), 12)

    assert sorted(status for status, _ in answers) == [200] * 11 + [202]
    assert len({answer["deploy"] for _, answer in answers}) == 1
    assert web.count("deployhooks_delivery") == 1
    assert web.count("deployhooks_deploy") == 1
    assert web.count("deployhooks_deploy_deliveries") == 1
    assert web.count("django_q_ormq") == 1


def test_a_burst_of_pushes_makes_one_deploy(web: Web):
    body = json.dumps(make_push()).encode()
    answers = in_parallel(lambda _: web.send(body), 12)

    assert [status for status, _ in answers] == [202] * 12
    assert len({answer["deploy"] for _, answer in answers}) == 1
    assert web.count("deployhooks_delivery") == 12
    assert web.count("deployhooks_deploy_deliveries") == 12
    assert web.count("django_q_ormq") == 1


def test_odd_texts_are_stored_in_every_database(web: Web):
    odd = "\x00\ud800 茶" * 500
    push = make_push(
        ref=f"refs/heads/{odd}", before=odd, after=odd, action=odd, pusher={"name": odd}
    )
    push["repository"]["full_name"] = odd
    push["head_commit"]["message"] = odd
    status, answer = web.send(json.dumps(push).encode(), X_Odd="é" * 600)
    assert (status, answer["outcome"]) == (200, "ignored"), web.log()

    push["ref"] = "refs/heads/main"
    status, answer = web.send(json.dumps(push).encode())
    assert (status, answer["outcome"]) == (202, "queued"), web.log()

    status, answer = web.send(b"{}", X_GitHub_Event="é" * 101)
    assert (status, answer["outcome"]) == (400, "refused"), web.log()
    assert web.count("deployhooks_refusal") == 1


def test_24_mib_are_accepted_and_answered_in_seconds(web: Web):
    body = json.dumps(make_push(filling="x" * (24 * MIB))).encode()
    began = time.monotonic()

    assert web.send(body)[0] == 202
    assert time.monotonic() - began < 8


def test_26_mib_are_refused_without_being_held_in_memory(web: Web):
    workers = web.master.children()
    # Each worker imports the site at its first request; that is not what is measured.
    url = f"http://127.0.0.1:{web.port}{PATH}"
    in_parallel(lambda _: urllib.request.urlopen(url, timeout=20).read(), 60)
    before = {worker.pid: reset_peak(worker.pid) for worker in workers}
    answers = in_parallel(lambda _: web.send(b"x" * (26 * MIB)), 4)
    grown = [read_peak(pid) - peak for pid, peak in before.items()]

    assert {status for status, _ in answers} == {413}
    assert {answer["outcome"] for _, answer in answers} == {"refused"}
    assert max(grown) < 26 * MIB  # not even one of them
    assert web.count("deployhooks_refusal") == 4


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_sees_the_refusal_of_a_big_body(web: Web, tmp_path: Path):
    (tmp_path / "big").write_bytes(b"x" * (26 * MIB))
    url = f"http://127.0.0.1:{web.port}{PATH}"
    done = subprocess.run(
        ["curl", "-sS", "-H", "Content-Type: application/json", "--data-binary", "@big", url],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] == "refused"


@pytest.mark.parametrize(
    ("method", "content_type", "status"),
    [("PUT", "application/json", 405), ("POST", "text/plain", 415), ("OPTIONS", "", 405)],
)
def test_other_refusals_of_big_bodies_arrive_as_well(
    web: Web, method: str, content_type: str, status: int
):
    with closing(http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)) as connection:
        connection.request(method, PATH, b"x" * (20 * MIB), {"Content-Type": content_type})
        response = connection.getresponse()
        assert response.status == status
        assert json.loads(response.read())["outcome"] == "refused"
        if status == 405:
            assert response.getheader("Allow") == "GET, HEAD, POST"
        # The connection is still good for another request.
        connection.request("GET", PATH)
        assert connection.getresponse().status == 200


def test_a_chunked_body_is_refused_for_want_of_a_length(web: Web):
    head = f"POST {PATH} HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n"
    chunk = b"100000\r\n" + b"x" * MIB + b"\r\n"

    assert web.exchange(head, *[chunk] * 5, b"0\r\n\r\n").startswith(b"411 ")


def test_a_body_cut_short_is_answered(web: Web):
    head = (
        f"POST {PATH} HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
        "Content-Length: 1000\n"
    )
    answer = web.exchange(head, b"x" * 500, half_close=True)

    assert answer.startswith(b"400 ")
    assert b"cut short" in answer


def test_a_client_that_leaves_in_the_middle_disturbs_nobody(web: Web):
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: 1000\r\n\r\n"
    )
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", web.port)) as connection:
            connection.sendall(head.encode() + b"x")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    assert web.send(json.dumps(make_push()).encode())[0] == 202
    assert "Traceback" not in web.log()


def test_a_strange_host_gets_an_answer_that_says_why(web: Web):
    head = (
        f"POST {PATH} HTTP/1.1\nHost: elsewhere.example\nContent-Type: application/json\n"
        "Content-Length: 2\n"
    )
    answer = web.exchange(head, b"{}")

    assert answer.startswith(b"403 ")
    assert b"not signed" in answer
    assert b"Traceback" not in answer


def test_a_locked_database_is_told_before_github_gives_up(web: Web):
    body = json.dumps(make_push()).encode()
    with closing(web.connect()) as database:
        if web.database_url.startswith("sqlite"):
            database.execute("BEGIN IMMEDIATE")
        else:
            database.execute("BEGIN")
            database.execute("LOCK TABLE deployhooks_delivery IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        status, answer = web.send(body, X_GitHub_Delivery="locked")
        took = time.monotonic() - began
        database.execute("ROLLBACK")

    assert (status, answer["outcome"]) == (503, "refused")
    assert 4 < took < 9.5
    assert web.count("deployhooks_delivery") == web.count("django_q_ormq") == 0
    assert web.send(body, X_GitHub_Delivery="locked")[0] == 202


def test_a_delivery_waits_for_a_short_lock(web: Web):
    with closing(web.connect()) as database:
        database.execute("BEGIN IMMEDIATE" if "sqlite" in web.database_url else "BEGIN")
        if "sqlite" not in web.database_url:
            database.execute("LOCK TABLE deployhooks_delivery IN ACCESS EXCLUSIVE MODE")
        answers = []
        body = json.dumps(make_push()).encode()
        sender = threading.Thread(target=lambda: answers.append(web.send(body)))
        sender.start()
        sender.join(1)
        assert not answers
        database.execute("ROLLBACK")
        sender.join()

    assert answers[0][0] == 202


SIGN_IN = """
from django.contrib.auth.models import User
from django.test import Client
client = Client()
client.force_login(User.objects.create_superuser("ada"))
print("session:", client.cookies["sessionid"].value)
"""


@pytest.mark.parametrize("served", ["sqlite"], indirect=True)
def test_a_full_disk_is_told_the_admin_stays_readable_and_room_is_all_it_takes(web: Web):
    if not web.folder.is_mount():
        pytest.skip("only root can mount a small disk")
    session = re.search(r"session: (\w+)", web.manage("shell", "-c", SIGN_IN))[1]
    body = json.dumps(make_push(filling="x" * MIB)).encode()
    assert web.send(body)[0] == 202
    with closing(web.connect()) as watch:
        # It has the database open, and with that what SQLite shares between readers.
        assert watch.execute("SELECT count(*) FROM deployhooks_delivery").fetchone() == (1,)
        # What was written until now would leave room in the log.
        assert watch.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
        with filled(web.folder):
            status, answer = web.send(body, X_GitHub_Delivery="full")
            assert (status, answer["outcome"]) == (503, "refused")
            assert web.send(body, X_Hub_Signature_256="sha256=0")[0] == 403
            for page in ("/", "/admin/deployhooks/delivery/", "/admin/deployhooks/deploy/"):
                url = f"http://127.0.0.1:{web.port}{page}"
                request = urllib.request.Request(url, headers={"Cookie": f"sessionid={session}"})
                assert urllib.request.urlopen(request, timeout=20).status == 200
    assert web.send(body, X_GitHub_Delivery="full")[0] == 202
    assert "Traceback" not in web.log()


def test_no_secret_and_no_signature_is_in_the_log(web: Web):
    body = json.dumps(make_push()).encode()
    web.send(body)
    web.send(body, X_Hub_Signature_256="sha256=0")

    assert SECRET.decode() not in web.log()
    assert "sha256=" not in web.log()


def test_a_database_that_hangs_or_is_down_is_told_in_time_and_not_fatal(tmp_path: Path):
    body = json.dumps(make_push()).encode()

    def send(*_: object, **headers: str) -> tuple[int, str]:
        began = time.monotonic()
        status, answer = web.send(body, **headers)
        assert time.monotonic() - began < 10
        return status, answer["outcome"]

    with running_server() as server, Web(tmp_path, server.url).running() as web:
        in_parallel(send, 12)  # each thread has a connection now
        with server.hanging():
            answers = in_parallel(lambda _: send(X_GitHub_Delivery="lost?"), 4)
            assert set(answers) == {(503, "refused")}
        assert send(X_GitHub_Delivery="lost?") == (202, "queued")

        server.stop()
        assert send() == (503, "refused")
        assert send(X_Hub_Signature_256="sha256=0") == (403, "refused")
        server.start()
        assert send() == (202, "queued")
        assert "Traceback" not in web.log()
