"""Step migrate: the database gets the new version's migrations, from the scratch worktree."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from deployhooks.database import back_up, find_applied
from deployhooks.last_words import find_last_words
from deployhooks.models import Deploy
from deployhooks.newer_migrations import describe_newer, find_newer_migrations
from deployhooks.process import ProcessFailed
from deployhooks.steps.context import Context

TIMEOUT = 300.0


def migrate(context: Context) -> str:
    if not context.code_changes:
        context.skip("only content changes")
    manage = context.scratch.manage
    warning = describe_newer(find_newer_migrations(context.checkout, context.target.commit))
    if manage("migrate", "--check", timeout=TIMEOUT, check=False).returncode == 0:
        context.skip(f"no new migrations. {warning}".strip())
    backup = make_backup(context)
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


def applied_by(deploy: Deploy) -> list[str]:
    """Return the migrations that this deploy has applied, in whichever of its attempts."""
    first = deploy.steps.order_by("pk").first()
    return find_applied(first.started_at) if first else []
