"""Step migrate: the database gets the new version's migrations, from the scratch worktree."""

from __future__ import annotations

import re

from deployhooks.database import back_up
from deployhooks.steps.context import Context

TIMEOUT = 300.0
APPLIED = re.compile(r"^\s*Applying (\S+?)\.\.\. OK", re.MULTILINE)


def migrate(context: Context) -> str:
    if not context.code_changes:
        context.skip("only content changes")
    manage = context.scratch.manage
    if manage("migrate", "--check", live=True, timeout=TIMEOUT, check=False).returncode == 0:
        context.skip("no new migrations")
    backup = back_up()
    done = manage("migrate", "--noinput", live=True, timeout=TIMEOUT, check=False)
    context.applied = APPLIED.findall(done.output)
    if done.returncode != 0:
        context.fail(f"A migration failed: {done.output.strip().splitlines()[-1]}")
    kept = f"; backup before it: {backup}" if backup else ""
    return f"applied {', '.join(context.applied)}{kept}"
