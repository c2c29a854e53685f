"""Transactions that give up on a locked database sooner than the one who waits for the answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def impatient_transaction(seconds: float) -> Iterator[None]:
    """Wait at most `seconds` for another's lock, then raise OperationalError.

    What the connection waits otherwise is put back at the end.
    """
    milliseconds = int(seconds * 1000)
    if connection.vendor == "sqlite":
        with _busy_timeout(milliseconds), transaction.atomic():
            yield
    else:
        with transaction.atomic():
            _limit_statements(milliseconds)
            yield


@contextmanager
def _busy_timeout(milliseconds: int) -> Iterator[None]:
    with connection.cursor() as cursor:
        before: int = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {before}")


def _limit_statements(milliseconds: int) -> None:
    """PostgreSQL's limits, which end by themselves with the transaction."""
    with connection.cursor() as cursor:
        for name in ("lock_timeout", "statement_timeout"):
            cursor.execute("SELECT set_config(%s, %s, true)", [name, f"{milliseconds}ms"])
