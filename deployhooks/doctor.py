"""Looks at everything that a deploy needs, as the user who runs it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from deployhooks import cluster, process
from deployhooks.checkout import Checkout, CheckoutError
from deployhooks.gunicorn import Gunicorn
from deployhooks.queue import is_frozen
from deployhooks.requirements import Requirements
from deployhooks.signatures import read_secrets

# Bytes that a deploy and its backup of the database may need.
FREE_SPACE = 200 * 1024 * 1024
TIMEOUT = 30.0


@dataclass(frozen=True)
class Finding:
    """What was looked at; `problem` says what to do, empty when it is in order."""

    what: str
    problem: str = ""


def examine() -> Iterator[Finding]:
    """Go through all checks; one that cannot be made is a finding like any other."""
    for check in CHECKS:
        try:
            yield from check()
        except (CheckoutError, process.ProcessFailed, DatabaseError, OSError) as error:
            yield Finding(check.__name__.removeprefix("check_").replace("_", " "), str(error))


def check_secret() -> Iterator[Finding]:
    path = settings.GITHUB_WEBHOOK_SECRET_FILE
    if not read_secrets(path, settings.GITHUB_WEBHOOK_SECRET):
        yield Finding("webhook secret", f"Write one into {path}, the same as on GitHub.")
    elif path.exists() and path.stat().st_mode & 0o077:
        yield Finding("webhook secret", f"Other users can read {path}: chmod 600 it.")
    else:
        yield Finding("webhook secret")


def check_checkout() -> Iterator[Finding]:
    checkout = make_checkout()
    yield Finding(f"checkout {checkout.path} is at {checkout.head_commit()[:7]}")
    probe = checkout.path / ".git"
    if not os.access(probe, os.W_OK):
        yield Finding("checkout", f"{probe} belongs to another user: chown it to this one.")
    if checkout.is_torn():
        yield Finding(
            "checkout",
            "A move to another commit was cut short, files of two versions may lie there:"
            " `manage.py deploy` tidies up.",
        )


def check_remote() -> Iterator[Finding]:
    checkout = make_checkout()
    branch = checkout.branch_name()
    ask(checkout, checkout.remote, f"refs/heads/{branch}")
    yield Finding(f"branch {branch} of {checkout.remote}")


def check_submodules() -> Iterator[Finding]:
    checkout = make_checkout()
    for submodule in checkout.submodules():
        ask(
            checkout,
            submodule.url,
            f"refs/heads/{submodule.branch}" if submodule.branch else "HEAD",
        )
        kind = f"tracks {submodule.branch}" if submodule.branch else "is pinned"
        yield Finding(f"submodule {submodule.path} {kind}")


def check_database() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    problem = "Run `manage.py migrate`, or start script/server again." if missing else ""
    yield Finding(f"database ({connection.vendor})", problem)


def check_packages() -> Iterator[Finding]:
    wanted = settings.DEPLOY_CHECKOUT / "requirements.txt"
    requirements = Requirements(partial(process.run, cwd=settings.DEPLOY_CHECKOUT))
    is_wrong = wanted.exists() and requirements.lacks(wanted)
    problem = "Others are installed: start script/server again, or run pip." if is_wrong else ""
    yield Finding("packages are those of requirements.txt", problem)


def check_disk() -> Iterator[Finding]:
    free = shutil.disk_usage(settings.DATA_DIR).free
    problem = (
        f"Only {free >> 20} MiB are free; a deploy may need more." if free < FREE_SPACE else ""
    )
    if not os.access(settings.DATA_DIR, os.W_OK):
        problem = f"{settings.DATA_DIR} cannot be written by this user."
    yield Finding(f"state in {settings.DATA_DIR}", problem)


def check_web() -> Iterator[Finding]:
    gunicorn = Gunicorn(settings.RUN_DIR)
    master = gunicorn.find_master()
    commit = make_checkout().head_commit()
    if master is None:
        yield Finding("gunicorn", "It does not run: start script/server, see log/web.log.")
    elif not gunicorn.all_serve(master, commit):
        yield Finding(
            "gunicorn", f"Not every worker runs {commit[:7]}: `manage.py deploy` reloads."
        )
    else:
        yield Finding(f"gunicorn, every worker runs {commit[:7]}")


def check_queue() -> Iterator[Finding]:
    problem = "" if cluster.find() else "It does not run: start script/server, see log/queue.log."
    yield Finding("queue", problem)


def check_freeze() -> Iterator[Finding]:
    freeze = is_frozen()
    problem = f"Frozen ({freeze.reason}): `manage.py thaw` deploys what is held." if freeze else ""
    yield Finding("deploys are not held", problem)


def make_checkout() -> Checkout:
    return Checkout(settings.DEPLOY_CHECKOUT, settings.DEPLOY_REMOTE, settings.DEPLOY_BRANCH)


def ask(checkout: Checkout, remote: str, ref: str) -> None:
    """Raise ProcessFailed when the remote does not answer or has no such ref."""
    process.run(
        ["git", "ls-remote", "--exit-code", "--", remote, ref],
        cwd=checkout.path,
        env=checkout.env,
        timeout=TIMEOUT,
    )


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    check_secret,
    check_checkout,
    check_remote,
    check_submodules,
    check_database,
    check_packages,
    check_disk,
    check_web,
    check_queue,
    check_freeze,
)
