"""A database that somebody removed comes back for its user alone."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection
from django.db.backends.sqlite3.base import DatabaseWrapper

from blogsite.settings import DATABASES


@pytest.mark.django_db
def test_whoever_makes_the_database_anew_makes_it_private(tmp_path: Path):
    path = tmp_path / "db.sqlite3"
    settings = connection.settings_dict | {"NAME": path, "OPTIONS": DATABASES["default"]["OPTIONS"]}
    before = os.umask(0o022)
    try:
        for _ in range(2):
            wrapper = DatabaseWrapper(settings)
            with wrapper.cursor() as cursor:
                cursor.execute("CREATE TABLE IF NOT EXISTS t (a)")
                modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
            wrapper.close()
            assert modes == dict.fromkeys(["db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm"], 0o600)
    finally:
        os.umask(before)


def test_a_second_connection_ends_no_lock_of_the_first(tmp_path: Path):
    options = {"factory": DATABASES["default"]["OPTIONS"]["factory"], "timeout": 0}
    path = tmp_path / "db.sqlite3"
    with closing(sqlite3.connect(path, **options)) as first:
        first.execute("BEGIN EXCLUSIVE")
        sqlite3.connect(path, **options).close()
        probe = f"import sqlite3; sqlite3.connect({str(path)!r}, timeout=0).execute('BEGIN')"
        probe += ".connection.execute('CREATE TABLE t (a)')"
        assert subprocess.run([sys.executable, "-c", probe], check=False).returncode != 0
