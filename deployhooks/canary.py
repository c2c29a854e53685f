"""Starts the site from the current folder on a port of its own, asks for pages, and ends it.

Run as a program by the step preflight; it imports nothing of the project, whose new version it is
to try out. Exits 1 with the reason when the site does not start or a page is not answered with 200.
"""

from __future__ import annotations

import argparse
import http.client
import os
import socket
import subprocess
import sys
import time

CONFIGURATION = ("-c", "blogsite/gunicorn_conf.py")
GUNICORN = [sys.executable, "-m", "gunicorn", *CONFIGURATION]
# What gunicorn's --check-config does, but for loading the site: that happens at the start.
READ_CONFIGURATION = "from gunicorn.app.wsgiapp import WSGIApplication; WSGIApplication()"


class CanaryFailed(Exception):
    """The site does not start or does not answer; the message says how."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", required=True, help="the Host header of the requests")
    parser.add_argument("--timeout", type=float, default=60, help="seconds for the start")
    parser.add_argument("paths", nargs="+", help="the pages to ask for")
    options = parser.parse_args()
    try:
        check_configuration(options.timeout)
        try_out(options.paths, options.host, options.timeout)
    except CanaryFailed as error:
        sys.exit(f"canary: {error}")


def check_configuration(timeout: float) -> None:
    """Let gunicorn read its configuration as the live master will, with its workers and address.

    At a reload the master ends when that fails. Raises CanaryFailed.
    """
    command = [sys.executable, "-c", READ_CONFIGURATION, *CONFIGURATION]
    try:
        done = subprocess.run(command, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        late = f"gunicorn did not load its configuration within {timeout:.0f} s"
        raise CanaryFailed(late) from None
    if done.returncode:
        raise CanaryFailed("gunicorn cannot load its configuration")


def try_out(paths: list[str], host: str, timeout: float) -> None:
    """Raises CanaryFailed; the server's own output goes to ours."""
    port = find_free_port()
    environment = os.environ | {"GUNICORN_BIND": f"127.0.0.1:{port}", "WEB_CONCURRENCY": "1"}
    server = subprocess.Popen(GUNICORN, env=environment)
    try:
        wait_for(server, port, timeout)
        for path in paths:
            ask(port, path, host)
    finally:
        end(server)


def end(server: subprocess.Popen[bytes]) -> None:
    """A server that hangs is killed; its workers go with the process group of this program."""
    server.terminate()
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(server: subprocess.Popen[bytes], port: int, timeout: float) -> None:
    """Wait until a worker answers; a master that listens is not enough."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise CanaryFailed(f"the site does not start (exit code {server.returncode})")
        try:
            fetch(port, "/healthz", "localhost", 1)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise CanaryFailed(f"the site did not start within {timeout:.0f} s")


def ask(port: int, path: str, host: str) -> None:
    try:
        status = fetch(port, path, host, 30)
    except OSError as error:
        raise CanaryFailed(f"{path} is not answered: {error}") from None
    print(f"canary: {path} answers {status}", flush=True)  # noqa: T201 - a program's output
    if status != http.client.OK:
        raise CanaryFailed(f"{path} answers {status}")


def fetch(port: int, path: str, host: str, timeout: float) -> int:
    """Return the status of a page, asked for as by the proxy in front."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"Host": host, "X-Forwarded-Proto": "https"})
        answer = connection.getresponse()
        answer.read()
    except http.client.HTTPException as error:
        raise OSError(repr(error)) from None
    finally:
        connection.close()
    return answer.status


if __name__ == "__main__":
    main()
