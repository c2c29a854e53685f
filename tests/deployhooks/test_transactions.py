"""What a transaction waits for: the disk, or not."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings as site

from tests.postgres import private_server

PROGRAM = """
import json, django
django.setup()
from django.db import connection, transaction
from deployhooks.transactions import unsynced_transaction

def ask():
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous" if is_sqlite else "SHOW synchronous_commit")
        return cursor.fetchone()[0]

said = [ask()]
with unsynced_transaction():
    said.append(ask())
try:
    with unsynced_transaction():
        raise KeyError
except KeyError:
    said.append(ask())
with transaction.atomic(), unsynced_transaction():
    said.append(ask())
print(json.dumps(said))
"""


def run(url: str) -> list[object]:
    environment = os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "blogsite.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=site.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_only_what_may_be_lost_is_written_without_waiting_for_the_disk(tmp_path, kind: str):
    if kind == "sqlite":
        full, normal = 2, 1
        assert run(f"sqlite:///{tmp_path}/db.sqlite3") == [full, normal, full, full]
    else:
        with private_server() as url:
            assert run(url) == ["on", "off", "on", "on"]


LOG = """
import os, sys, django
django.setup()
from django.db import close_old_connections, connection, transaction

def write(size):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS filling (x)")
        cursor.execute("INSERT INTO filling VALUES (%s)", ["x" * size])
    close_old_connections()  # as at the end of each request
    assert connection.connection is not None

log = sys.argv[1] + "-wal"
write(24_000_000)
assert os.path.getsize(log) > 24_000_000
with connection.cursor() as cursor:
    cursor.execute("PRAGMA wal_checkpoint")
write(1)
assert 0 < os.path.getsize(log) <= 16 * 1024 * 1024
"""


def test_a_connection_stays_open_and_a_log_that_grew_is_cut(tmp_path):
    database = tmp_path / "db.sqlite3"
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{database}",
        "DJANGO_SETTINGS_MODULE": "blogsite.settings",
    }
    command = [sys.executable, "-c", LOG, str(database)]
    done = subprocess.run(
        command, cwd=site.BASE_DIR, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
