"""Copies of the database: one to rehearse migrations on, and backups before they are run."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

BACKUPS_KEPT = 5


@contextmanager
def rehearsal_database(folder: Path) -> Iterator[dict[str, str] | None]:
    """Yield the environment of a process that is to work on a database for rehearsals.

    On SQLite that is a full copy in `folder`; on PostgreSQL an empty database beside the live one,
    dropped afterwards; None where the user may not make one.
    """
    if connection.vendor == "sqlite":
        copy = folder / "db.sqlite3"
        copy_sqlite(copy)
        yield {"DATABASE_URL": f"sqlite:///{quote(str(copy))}"}
        return
    name = f"{settings.DATABASES['default']['NAME']}_rehearsal"
    try:
        execute(f"DROP DATABASE IF EXISTS {connection.ops.quote_name(name)}")
        execute(f"CREATE DATABASE {connection.ops.quote_name(name)}")
    except DatabaseError:
        yield None
        return
    try:
        yield {"DATABASE_URL": database_url(name)}
    finally:
        execute(f"DROP DATABASE IF EXISTS {connection.ops.quote_name(name)}")


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def database_url(name: str) -> str:
    """Return the live database's URL with another database's name."""
    live = settings.DATABASES["default"]
    user = quote(live.get("USER", ""), safe="")
    password = quote(live.get("PASSWORD", ""), safe="")
    host = quote(live.get("HOST", ""), safe="[]:")
    port = f":{live['PORT']}" if live.get("PORT") else ""
    return f"postgres://{user}:{password}@{host}{port}/{quote(name)}"


def copy_sqlite(target: Path) -> None:
    """Copy the live SQLite database as it is at one moment, while others write to it."""
    live = str(settings.DATABASES["default"]["NAME"])
    with closing(sqlite3.connect(live)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def back_up() -> Path | None:
    """Keep a copy of the SQLite database, and the newest five of such; None elsewhere."""
    if connection.vendor != "sqlite":
        return None
    folder: Path = settings.DATA_DIR / "backups"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"db-{timezone.now():%Y%m%dT%H%M%S%f}.sqlite3"
    copy_sqlite(path)
    for old in sorted(folder.glob("db-*.sqlite3"))[:-BACKUPS_KEPT]:
        old.unlink()
    return path
