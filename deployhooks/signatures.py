"""Checks that a request was signed with one of the webhook's secrets."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class InvalidSignature(Exception):
    """The message tells a person what to compare."""


@dataclass(frozen=True)
class Signed:
    """Who could have sent the request: `secret_number` counts from 1, newest first."""

    algorithm: str
    secret_number: int


def read_secrets(file: Path, variable: str) -> tuple[bytes, ...]:
    """Return the secrets, newest first: the file's lines, then the variable.

    Blank lines and trailing white space are nothing, and so is a file that does not exist; one that
    cannot be read raises OSError. Read it at each request: that is how secrets are rotated without
    a restart.
    """
    lines = file.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines() if file.exists() else []
    lines.append(variable.encode("utf-8", "surrogateescape"))
    return tuple(line.rstrip() for line in lines if line.strip())


def sign(body: bytes, secret: bytes, algorithm: str = "sha256") -> str:
    """Return what GitHub writes into the header: the algorithm and lower-case hex digits."""
    return f"{algorithm}={hmac.digest(secret, body, algorithm).hex()}"


def check_signature(
    body: bytes, secrets: Sequence[bytes], *, sha256: str | None, sha1: str | None
) -> Signed:
    """Say which secret signed `body`; raises InvalidSignature when none did.

    `sha256` and `sha1` are the values of X-Hub-Signature-256 and X-Hub-Signature, None when the
    header is missing. The older sha1 counts only where sha256 is missing, or a forger could choose
    the weaker one.
    """
    algorithm, given = ("sha256", sha256) if sha256 is not None else ("sha1", sha1)
    if given is None:
        raise InvalidSignature(
            "The request is not signed: enter the secret in the webhook's settings at GitHub."
        )
    # Bytes, because compare_digest raises TypeError for text outside ASCII.
    given_bytes = given.encode("utf-8", "surrogatepass")
    for number, secret in enumerate(secrets, start=1):
        if hmac.compare_digest(sign(body, secret, algorithm).encode(), given_bytes):
            return Signed(algorithm, number)
    raise InvalidSignature(
        f"The {algorithm} signature does not match: is the secret in the webhook's settings at "
        "GitHub the one that this site knows?"
    )
