"""Copies of the database: for rehearsals, on SQLite and PostgreSQL, and as backups."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import environ
import psycopg
import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import ConnectionHandler
from django.utils import timezone

from deployhooks import database
from tests.postgres import private_server


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings) -> Path:
    """A live SQLite database in WAL mode with one row; our own connection is to it."""
    path = tmp_path / "live site.sqlite3"
    with closing(sqlite3.connect(path)) as opened:
        opened.executescript(
            "PRAGMA journal_mode=WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)"
        )
    use(monkeypatch, database.sqlite_url(path))
    settings.DATA_DIR = tmp_path
    return path


def use(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    connections = ConnectionHandler({"default": environ.Env.db_url_config(url)})
    monkeypatch.setattr(database, "connection", connections["default"])
    monkeypatch.setenv("DATABASE_URL", url)


def rows(path: Path) -> list:
    with closing(sqlite3.connect(path)) as opened:
        return opened.execute("SELECT x FROM t").fetchall()


def test_a_rehearsal_works_on_a_full_copy_while_others_write(live: Path, tmp_path: Path):
    with closing(sqlite3.connect(live)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO t VALUES (2)")
        with database.rehearsal_database(tmp_path) as environment:
            assert rows(tmp_path / "db.sqlite3") == [(1,)]
            named = environ.Env.db_url_config(environment["DATABASE_URL"])["NAME"]
            assert named == str(tmp_path / "db.sqlite3")
            with closing(sqlite3.connect(named)) as copy, copy:
                copy.execute("DROP TABLE t")
        writer.commit()
    assert rows(live) == [(1,), (2,)]


def test_processes_in_other_folders_find_the_live_database(live: Path):
    url = database.live_environment()["DATABASE_URL"]
    assert environ.Env.db_url_config(url)["NAME"] == str(live)


def test_the_last_five_backups_are_kept_and_can_be_read(live: Path, tmp_path: Path):
    made = [database.back_up() for _ in range(7)]
    kept = sorted((tmp_path / "backups").iterdir())
    assert kept == made[2:]
    assert all(rows(path) == [(1,)] for path in kept)
    assert (tmp_path / "backups").stat().st_mode & 0o077 == 0


def test_a_backup_stays_that_is_older_than_the_others_by_a_clock_set_back(
    live: Path, monkeypatch: pytest.MonkeyPatch
):
    for _ in range(6):
        database.back_up()
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() - timedelta(hours=1))
    assert rows(database.back_up()) == [(1,)]


@pytest.mark.django_db
def test_on_postgresql_a_rehearsal_has_a_database_of_its_own_that_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with private_server() as url:
        use(monkeypatch, url)
        with database.rehearsal_database(tmp_path) as environment:
            assert environment["DATABASE_URL"] != url
            # One that is still connected does not keep it from being dropped.
            connected = psycopg.connect(environment["DATABASE_URL"])
            assert names_of_databases(url) > {"postgres"}
        connected.close()
        assert names_of_databases(url) == {"postgres", "template0", "template1"}
        assert database.live_environment() == {}
        assert database.back_up() is None
        database.connection.close()


@pytest.mark.django_db
def test_on_postgresql_who_may_make_no_database_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with private_server() as url:
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("CREATE ROLE poor LOGIN")
        use(monkeypatch, url.replace("blogsite@", "poor@"))
        with (
            pytest.raises(database.NoRehearsal, match="permission denied to create database"),
            database.rehearsal_database(tmp_path),
        ):
            pass
        database.connection.close()


def names_of_databases(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


@pytest.mark.django_db
def test_migrations_applied_since_a_moment_are_found():
    recorder = MigrationRecorder(connection)
    recorder.record_applied("app", "0001_before")
    since = timezone.now()
    recorder.record_applied("app", "0002_after")
    assert database.find_applied(since) == ["app.0002_after"]
