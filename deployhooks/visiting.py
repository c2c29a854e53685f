"""Asks the running site for its pages, over gunicorn's own socket and past any proxy."""

from __future__ import annotations

import http.client
import socket
import time

import psutil

# Seconds for one answer, between two questions, and until an answer that is no good counts.
TIMEOUT = 15.0
PAUSE = 0.5
PATIENCE = 5.0
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what a socket may say
PAGES = ("/healthz", "/")


def find_broken_page(master: psutil.Process, host: str) -> str:
    """What is wrong with a page that answers with an error of the server; empty: none does.

    An error that goes away within seconds is none: a database may have been busy.
    """
    deadline = time.monotonic() + PATIENCE
    while problem := next(filter(None, (look_at(master, path, host) for path in PAGES)), ""):
        if time.monotonic() > deadline:
            return problem
        time.sleep(PAUSE)
    return ""


def look_at(master: psutil.Process, path: str, host: str) -> str:
    try:
        status = ask(master, path, host)
    except (OSError, http.client.HTTPException, psutil.Error) as error:
        return f"{path} is not answered ({error})"
    return f"{path} answers {status}" if status >= http.client.INTERNAL_SERVER_ERROR else ""


def ask(master: psutil.Process, path: str, host: str) -> int:
    """The status of a page; what says https is believed only where SITE_URL has it."""
    connection = http.client.HTTPConnection(host, timeout=TIMEOUT)
    connection.sock = connect(master)
    try:
        connection.request("GET", path, headers={"Host": host, "X-Forwarded-Proto": "https"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def connect(master: psutil.Process) -> socket.socket:
    """A connection to what gunicorn listens on. Raises OSError."""
    connections = master.net_connections("all")
    for one in connections:
        if one.status == psutil.CONN_LISTEN:
            address = ANY_ADDRESS.get(one.laddr.ip, one.laddr.ip)
            return socket.create_connection((address, one.laddr.port), TIMEOUT)
    for path in (one.laddr for one in connections if one.family == socket.AF_UNIX and one.laddr):
        unix = socket.socket(socket.AF_UNIX)
        unix.settimeout(TIMEOUT)
        unix.connect(path)
        return unix
    raise OSError("gunicorn listens on nothing that could be found")
