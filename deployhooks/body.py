"""Reads a request's body within limits of size and time, or throws it away after the answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest
from django.http.request import UnreadablePostError
from gunicorn.http.errors import ParseException

from deployhooks.refusals import Refused

MAX_LENGTH = 25 * 1024 * 1024  # GitHub's own limit
READ_SECONDS = 20.0
MAX_DISCARDED = 64 * 1024 * 1024
DISCARD_SECONDS = 10.0
PIECE = 256 * 1024


def read_length(content_length: str) -> int:
    """Return the announced length; raises Refused with 411 or 413."""
    digits = content_length.strip()
    if not (digits.isascii() and digits.isdigit()):
        raise Refused(411, "The request must tell its length (Content-Length).")
    if len(digits) > 15 or int(digits) > MAX_LENGTH:
        raise Refused(413, "The body is over 25 MiB, more than GitHub sends.")
    return int(digits)


def read_body(request: HttpRequest, length: int) -> bytes:
    """Return all of the body; raises Refused with 400 when the client stops before its end.

    Not `request.body`: DATA_UPLOAD_MAX_MEMORY_SIZE is meant for forms of visitors.
    """
    pieces = []
    missing = length
    with _hang_up_after(READ_SECONDS, request):
        while missing and (piece := _read_piece(request, missing)):
            pieces.append(piece)
            missing -= len(piece)
    if missing:
        raise Refused(400, f"The body was cut short: {missing} of {length} bytes did not arrive.")
    return b"".join(pieces)


def _read_piece(request: HttpRequest, missing: int) -> bytes:
    try:
        return request.read(min(missing, PIECE))
    except UnreadablePostError:
        return b""


def discard_body(request: HttpRequest) -> None:
    """Read what the client still sends, so that it gets to see the answer it was already given.

    Closing a connection with unread bytes resets it, and the reset overtakes the answer. Bounded in
    bytes and in time; a server that does not hand out its socket does this by itself.
    """
    if "gunicorn.socket" not in request.META:
        return
    left = MAX_DISCARDED
    with _hang_up_after(DISCARD_SECONDS, request):
        while left > 0 and (piece := _read_raw(request, PIECE)):
            left -= len(piece)


def _read_raw(request: HttpRequest, size: int) -> bytes:
    """Read past Django, which takes a body without Content-Length for empty."""
    try:
        piece: bytes = request.META["wsgi.input"].read(size)
    except (OSError, ParseException):
        return b""
    return piece


@contextmanager
def _hang_up_after(seconds: float, request: HttpRequest) -> Iterator[None]:
    """End the reading of a body after `seconds`, as if the client had gone.

    A time-out of the socket would not do: it counts anew with each byte that trickles in.
    """
    connection = request.META.get("gunicorn.socket")
    if connection is None:
        yield
        return
    timer = threading.Timer(seconds, _stop_receiving, [connection])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _stop_receiving(connection: socket.socket) -> None:
    try:
        # Not the method of an SSL socket, which would go on in plain text.
        socket.socket.shutdown(connection, socket.SHUT_RD)
    except OSError:
        return  # it is closed already
