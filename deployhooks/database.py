"""Copies of the database: one to rehearse migrations on, and backups before they are run."""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

BACKUPS_KEPT = 5


class NoRehearsal(Exception):
    """No database for rehearsals can be made; the message says why."""


def live_environment() -> dict[str, str]:
    """Name the live SQLite database so that a process in another folder finds it."""
    return {"DATABASE_URL": sqlite_url(live_file())} if is_sqlite() else {}


@contextmanager
def rehearsal_database(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the environment of a process that is to work on a database for rehearsals.

    On SQLite that is a full copy in `folder`; on PostgreSQL an empty database beside the live one,
    dropped afterwards. Raises NoRehearsal where the user may not make one.
    """
    if is_sqlite():
        copy = folder / "db.sqlite3"
        copy_sqlite(copy)
        yield {"DATABASE_URL": sqlite_url(copy)}
        return
    name = rehearsal_name()
    create_database(name)
    try:
        yield {"DATABASE_URL": urlsplit(live_url())._replace(path=f"/{quote(name)}").geturl()}
    finally:
        drop_database(name)


def rehearsal_name() -> str:
    """Each host's own: several hosts may share a database server. At most 63 bytes."""
    host = zlib.crc32(settings.DEPLOY_HOST.encode())
    return f"{str(connection.settings_dict['NAME'])[:40]}_rehearsal_{host:08x}"


def create_database(name: str) -> None:
    try:
        drop_database(name)
        execute(f"CREATE DATABASE {connection.ops.quote_name(name)}")
    except DatabaseError as error:
        raise NoRehearsal(str(error).strip().partition("\n")[0]) from error


def drop_database(name: str) -> None:
    """Drop it, whoever is still connected: a canary that was killed, say."""
    execute(f"DROP DATABASE IF EXISTS {connection.ops.quote_name(name)} WITH (FORCE)")


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def live_url() -> str:
    try:
        return os.environ["DATABASE_URL"]
    except KeyError:
        raise NoRehearsal("the database is not named by DATABASE_URL") from None


def is_sqlite() -> bool:
    return connection.vendor == "sqlite"


def live_file() -> Path:
    return Path(connection.settings_dict["NAME"]).absolute()


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{quote(str(path))}"


def copy_sqlite(target: Path) -> None:
    """Copy the live SQLite database as it is at one moment, while others write to it."""
    live = sqlite3.connect(f"file:{quote(str(live_file()))}?mode=ro", uri=True, timeout=20)
    with closing(live) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def back_up() -> Path | None:
    """Keep a copy of the SQLite database, and the newest five of such; None elsewhere.

    Raises sqlite3.Error or OSError when there is no room for it, say.
    """
    if not is_sqlite():
        return None
    folder: Path = settings.DATA_DIR / "backups"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / backup_name(timezone.now())
    copy_sqlite(path)
    # By their names, but the new one stays whatever the clock says.
    others = [other for other in find_backups() if other != path]
    for old in others[: -(BACKUPS_KEPT - 1)]:
        old.unlink()
    return path


def backup_name(at: datetime) -> str:
    return f"db-{at:%Y%m%dT%H%M%S%f}.sqlite3"


def find_backups() -> list[Path]:
    """The backups that are kept, oldest first."""
    return sorted((settings.DATA_DIR / "backups").glob("db-*.sqlite3"))


def find_applied(since: datetime) -> list[str]:
    """Return the migrations that were applied since then, by whatever process."""
    applied = MigrationRecorder(connection).migration_qs.filter(applied__gte=since)
    return [f"{app}.{name}" for app, name in applied.order_by("pk").values_list("app", "name")]
