"""Step preflight: the new code is proved in a scratch worktree before anything live changes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from deployhooks.database import NoRehearsal, rehearsal_database
from deployhooks.gunicorn import Gunicorn
from deployhooks.last_words import find_last_words
from deployhooks.process import ProcessFailed, ProcessTimedOut
from deployhooks.rehearsal import HEADING
from deployhooks.requirements import Requirements
from deployhooks.steps.context import Context

PACKAGES = "packages.txt"
# Run by path in fresh processes, so that nothing of the live code comes with them.
REHEARSAL_PROGRAM, CANARY_PROGRAM = (
    Path(__file__).resolve().parent.parent / name for name in ("rehearsal.py", "canary.py")
)
# Titled, as the log and a refusal call them; each in a state of its own.
CHECKS = [
    ["its checks", "check"],
    ["a look for missing migrations", "makemigrations", "--check", "--dry-run"],
]
REHEARSAL = ["its migrations on a copy of the database", "migrate", "--noinput"]
PLAN = ["the plan of its migrations", "migrate", "--plan"]
COLLECTING = ["collectstatic", "collectstatic", "--noinput", "--verbosity=0"]
INSTALLING = "installing its requirements"
STARTING = "a trial start under gunicorn"


def preflight(context: Context) -> str:
    if not context.code_changes:
        context.skip("only content changes")
    scratch = context.scratch
    make_scratch(context)
    notes = install_requirements(context)
    pages = ["/healthz", "/"]
    with ExitStack() as stack:
        rehearsed = REHEARSAL
        try:
            scratch.copies = stack.enter_context(rehearsal_database(scratch.state))
        except NoRehearsal as reason:
            notes.append(f"migrations planned, not rehearsed: {reason}")
            # The canary has to do with the live database, which is not migrated yet.
            rehearsed, pages = PLAN, ["/healthz"]
        except (sqlite3.Error, OSError) as error:
            context.fail(describe_no_room(error))
        commands = json.dumps([*CHECKS, rehearsed, COLLECTING])
        prove(context, "", lambda: scratch.try_out(REHEARSAL_PROGRAM, commands))
        prove(context, STARTING, lambda: start_canary(context, pages))
    return "; ".join([f"{context.target.commit[:7]} starts and answers", *notes])


def make_scratch(context: Context) -> None:
    try:
        context.scratch.make(context.target)
    except OSError as error:
        context.fail(describe_no_room(error))


def describe_no_room(error: Exception) -> str:
    return (
        f"The new version could not be tried out, the site is untouched: {error}. "
        "Make room below DATA_DIR and re-run this deploy."
    )


def install_requirements(context: Context) -> list[str]:
    """Install what requirements.txt newly asks for; it is put back when the deploy fails."""
    requirements = Requirements(context.run)
    old, new = (
        folder / "requirements.txt" for folder in (settings.DEPLOY_CHECKOUT, context.scratch.tree)
    )
    notes = []
    if requirements.differ(old, new):
        context.kept.keep(PACKAGES, "\n".join(requirements.freeze()))
        prove(context, INSTALLING, lambda: requirements.install(new))
        notes.append("requirements installed")
    return notes + requirements.find_restarts(Gunicorn(settings.RUN_DIR).versions())


def start_canary(context: Context, pages: list[str]) -> None:
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    timeout = str(settings.DEPLOY_PREFLIGHT_TIMEOUT * 0.8)
    context.scratch.try_out(CANARY_PROGRAM, "--host", host, "--timeout", timeout, *pages)


def prove(context: Context, title: str, attempt: Callable[[], object]) -> None:
    """Raises StepFailed with the last lines of what the new code said."""
    if title:
        context.write(f"{HEADING}{title}\n")
    try:
        attempt()
    except ProcessFailed as error:
        late = f" ({error.what})" if isinstance(error, ProcessTimedOut) else ""
        said = find_last_words(error.output) or f"It {error.what} and said nothing."
        context.fail(
            f"{context.target.commit[:7]} was refused, the site is untouched: "
            f"{title or find_title(error.output)} failed{late}. {said} Mend it and push again."
        )


def find_title(output: str) -> str:
    """Return which of the commands ran last, from the headings that the rehearsal prints."""
    return output.rpartition(HEADING)[2].partition("\n")[0]
