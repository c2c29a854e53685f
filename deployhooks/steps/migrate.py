"""Step migrate: the database gets the new version's migrations, from the scratch worktree."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from deployhooks.database import (
    back_up,
    backup_name,
    find_applied,
    find_backups,
    is_sqlite,
    live_file,
)
from deployhooks.last_words import find_last_words
from deployhooks.models import Deploy
from deployhooks.newer_migrations import describe_newer, find_newer_migrations
from deployhooks.process import ProcessFailed
from deployhooks.steps.context import Context

TIMEOUT = 300.0
MEANWHILE = (
    "From now until the step reload the version before runs on the new tables, and it will do so\n"
    "again if this deploy is put back. What it needs must stay: add first, and take away only in\n"
    "a later push, when no live code asks for it any more.\n"
)


def migrate(context: Context) -> str:
    if not context.code_changes:
        context.skip("only content changes")
    manage = context.scratch.manage
    warning = describe_newer(find_newer_migrations(context.checkout, context.target.commit))
    if manage("migrate", "--check", timeout=TIMEOUT, check=False).returncode == 0:
        context.skip(f"no new migrations. {warning}".strip())
    backup = make_backup(context)
    context.write(MEANWHILE)
    try:
        manage("migrate", "--noinput", timeout=TIMEOUT)
    except ProcessFailed as error:
        context.fail(f"A migration failed ({error.what}): {find_last_words(error.output)}")
    kept = f"; backup before it: {backup}" if backup else ""
    return f"applied {', '.join(applied_by(context.deploy))}{kept}. {warning}".strip()


def make_backup(context: Context) -> Path | None:
    try:
        return back_up()
    except (sqlite3.Error, OSError) as error:
        context.fail(
            f"Nothing was migrated, because the database could not be backed up first: {error}. "
            "Make room below DATA_DIR and re-run this deploy."
        )


def explain_the_way_back(deploy: Deploy) -> str:
    """What to do when the version before fails on the tables as they are now; empty: not those."""
    applied = applied_by(deploy)
    if not applied:
        return ""
    stay = f"These migrations stay applied: {', '.join(applied)}."
    backup = find_backup(deploy)
    if backup is None:
        return (
            f"{stay} Push a version that works with them, or restore your own backup of the"
            " database from before this deploy."
        )
    live = live_file()
    return (
        f"{stay} Push a version that works with them. Or stop the site, remove {live}-wal and "
        f"{live}-shm, copy {backup} over {live} and start it again: that is the database as it was "
        "before this deploy, what was written since is lost."
    )


def find_backup(deploy: Deploy) -> Path | None:
    """The first backup that the deploy made: from before all of its migrations."""
    first = deploy.steps.order_by("pk").first()
    if first is None or not is_sqlite():
        return None
    since = backup_name(first.started_at)
    return next((path for path in find_backups() if path.name >= since), None)


def applied_by(deploy: Deploy) -> list[str]:
    """Return the migrations that this deploy has applied, in whichever of its attempts."""
    first = deploy.steps.order_by("pk").first()
    return find_applied(first.started_at) if first else []
