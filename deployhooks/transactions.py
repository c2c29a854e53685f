"""Transactions of a kind: that give up a locked database soon, or that a power cut may undo."""

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
        with _pragma("busy_timeout", str(milliseconds)), transaction.atomic():
            yield
    else:
        with transaction.atomic():
            _limit_statements(milliseconds)
            yield


@contextmanager
def unsynced_transaction() -> Iterator[None]:
    """For what means nothing after a power cut: it need not reach the disk now.

    Whoever waits for a slow disk keeps everybody else from writing. What is written within lasts
    as soon as a later transaction is synced, and when the process is killed.
    https://www.sqlite.org/pragma.html#pragma_synchronous
    https://www.postgresql.org/docs/current/wal-async-commit.html
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        with _pragma("synchronous", "NORMAL"), transaction.atomic():
            yield
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO off")
            yield


@contextmanager
def _pragma(name: str, value: str) -> Iterator[None]:
    """Set one of SQLite's, and put it back."""
    with connection.cursor() as cursor:
        before: int = cursor.execute(f"PRAGMA {name}").fetchone()[0]
        cursor.execute(f"PRAGMA {name} = {value}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA {name} = {before}")


def _limit_statements(milliseconds: int) -> None:
    """PostgreSQL's limits, which end by themselves with the transaction."""
    with connection.cursor() as cursor:
        for name in ("lock_timeout", "statement_timeout"):
            cursor.execute("SELECT set_config(%s, %s, true)", [name, f"{milliseconds}ms"])
