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
from deployhooks.rehearsal import HEADING, LOAD
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
    ["a start of its commands and tasks, which the queue and the watch run", LOAD],
    ["a look for missing migrations", "makemigrations", "--check", "--dry-run"],
]
REHEARSAL = ["its migrations on a copy of the database", "migrate", "--noinput"]
PLAN = ["the plan of its migrations", "migrate", "--plan"]
COLLECTING = ["collectstatic", "collectstatic", "--noinput", "--verbosity=0"]
PREPARING = "installing its requirements beside the live ones"
INSTALLING = "Installing the requirements that were proved"
STARTING = "a trial start under gunicorn"


def preflight(context: Context) -> str:
    if not context.code_changes:
        finish_putting_back(context)
        context.skip("only content changes")
    scratch, requirements = context.scratch, Requirements(context.run)
    make_scratch(context)
    wanted = scratch.tree / "requirements.txt"
    is_installing = needs_packages(context, wanted)
    if is_installing:
        prove(context, PREPARING, lambda: requirements.prepare(wanted, scratch.packages))
    notes = []
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
    if is_installing:
        notes.append(install(context, wanted))
    notes += requirements.find_restarts(Gunicorn(settings.RUN_DIR).versions())
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


def finish_putting_back(context: Context) -> None:
    """Packages that an earlier deploy has left changed go back first."""
    frozen = context.kept.find(PACKAGES)
    if frozen is not None:
        changed = Requirements(context.run).restore(frozen.splitlines())
        context.kept.forget(PACKAGES)
        context.write(f"{changed} packages put back that an earlier deploy had changed\n")


def needs_packages(context: Context, wanted: Path) -> bool:
    """Also where an earlier deploy has left the packages neither old nor new."""
    old = settings.DEPLOY_CHECKOUT / wanted.name
    is_unfinished = context.kept.find(PACKAGES) is not None
    return wanted.exists() and (is_unfinished or Requirements(context.run).differ(old, wanted))


def install(context: Context, wanted: Path) -> str:
    """Install what is proved by now; it is put back when the deploy fails after all."""
    requirements = Requirements(context.run)
    context.write(f"{HEADING}{INSTALLING}\n")
    context.kept.keep(PACKAGES, "\n".join(requirements.freeze()))
    try:
        requirements.install(wanted)
    except ProcessFailed as error:
        context.fail(f"{INSTALLING} failed ({error.what}): {find_last_words(error.output)}")
    return "requirements installed"


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
