"""Everything between a fresh clone and running processes; what is done is not done again."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import sys
import time
from pathlib import Path
from typing import NoReturn

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from blogsite.collecting import collect_static
from deployhooks.bytecode import compile_project
from deployhooks.gunicorn import Gunicorn

# Seconds; as long as supervisord gives gunicorn to end.
LEFTOVERS_TIMEOUT = 45.0


def prepare() -> list[str]:
    """Bring database, static files, secret, admin account and posts up to date.

    Returns the lines that a person needs to see, among them what is shown only this once. Raises
    CommandError with what to do when the site cannot start here.
    """
    make_folders()
    refuse_second_server()
    wait_for_leftovers()
    refuse_taken_port()
    compile_project(settings.BASE_DIR)
    migrate()
    collect_static()
    lines = [
        f"blog: {settings.SITE_URL}/",
        f"admin: {settings.SITE_URL}/admin/",
        f"webhook URL: {settings.SITE_URL}/hooks/github/",
        *make_secret(),
        *make_admin(),
    ]
    call_command("index_posts")
    return lines


def make_folders() -> None:
    """Make the folders of the state; other users get through to the static files alone."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    settings.DATA_DIR.chmod(0o711)
    for name in ("log", "run", "backups", "scratch"):
        (settings.DATA_DIR / name).mkdir(exist_ok=True)
        (settings.DATA_DIR / name).chmod(0o700)
    if connection.vendor == "sqlite":
        # Before SQLite makes it; what lies beside it (-wal, -shm) gets the same mode.
        database = Path(settings.DATABASES["default"]["NAME"])
        database.touch(mode=0o600)
        database.chmod(0o600)


def run_supervisor() -> NoReturn:
    """Become supervisord, which runs web, queue and watch until it is told to end."""
    bin_dir = Path(sys.executable).parent
    environment = os.environ | {
        "BIN_DIR": str(bin_dir),
        "DATA_DIR": str(settings.DATA_DIR),
        "PORT": str(settings.PORT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "DJANGO_SETTINGS_MODULE": "blogsite.settings",
    }
    command = [sys.executable, "-m", "supervisor.supervisord"]
    command += ["--configuration", str(settings.BASE_DIR / "deploy" / "supervisord.conf")]
    if os.geteuid() == 0:
        command += ["--user", "root"]
    sys.stdout.flush()
    os.chdir(settings.BASE_DIR)
    os.execve(sys.executable, command, environment)  # noqa: S606 - no shell is meant


def refuse_second_server() -> None:
    """Hold a lock as long as this process, and the supervisord that it becomes, lives."""
    descriptor = os.open(settings.RUN_DIR / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CommandError(
            f"script/server already runs with {settings.DATA_DIR}. Stop that one first, or give "
            "this one a DATA_DIR and a PORT of its own."
        ) from None
    os.set_inheritable(descriptor, True)


def wait_for_leftovers() -> None:
    """Let the web workers of a server that was killed finish; they are told when it dies."""
    ends = time.monotonic() + LEFTOVERS_TIMEOUT
    while Gunicorn(settings.RUN_DIR).find_master() and time.monotonic() < ends:
        time.sleep(0.1)


def refuse_taken_port() -> None:
    bind = os.environ.get("GUNICORN_BIND") or f"127.0.0.1:{settings.PORT}"
    host, _, port = bind.rpartition(":")
    if not port.isdigit():
        return  # a Unix socket
    family = socket.AF_INET6 if "[" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {bind}: {error.strerror}. Stop what uses that address, or set "
                "PORT or GUNICORN_BIND (environment or .env)."
            ) from None


def migrate() -> None:
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except DatabaseError as error:
        raise CommandError(
            f"The database does not take the migrations: {error} Check DATABASE_URL and that "
            f"{settings.DATA_DIR} can be written."
        ) from error


def make_secret() -> list[str]:
    """Write a webhook secret when none is configured."""
    path = settings.GITHUB_WEBHOOK_SECRET_FILE
    if settings.GITHUB_WEBHOOK_SECRET or (path.exists() and path.read_text().strip()):
        return []
    secret = secrets.token_hex(32)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret + "\n")
    return [f"webhook secret: {secret}"]


def make_admin() -> list[str]:
    """Make the first admin account; its password is shown only when it was made up here."""
    users = get_user_model().objects
    if users.filter(is_superuser=True).exists():
        return []
    name = os.environ.get("DJANGO_SUPERUSER_USERNAME") or "admin"
    given = os.environ.get("DJANGO_SUPERUSER_PASSWORD", "")
    password = given or secrets.token_urlsafe(12)
    users.create_superuser(name, password=password)
    return [f"admin user: {name}"] + ([] if given else [f"admin password: {password}"])
