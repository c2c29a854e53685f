"""Step preflight: the new code is proved in a scratch worktree before anything live changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from deployhooks import canary
from deployhooks.database import rehearsal_database
from deployhooks.process import ProcessFailed
from deployhooks.requirements import Requirements
from deployhooks.steps.context import Context

# Seconds for each of the proofs.
TIMEOUT = 120.0


def preflight(context: Context) -> str:
    if not context.code_changes:
        context.skip("only content changes")
    scratch = context.scratch
    scratch.make(context.target.commit)
    notes = install_requirements(context)
    prove_manage(context, "its checks", "check")
    prove_manage(context, "a look for missing migrations", "makemigrations", "--check", "--dry-run")
    with rehearsal_database(scratch.state) as environment:
        if environment is None:
            notes.append("migrations planned but not rehearsed: no scratch database can be made")
            prove_manage(context, "the plan of its migrations", "migrate", "--plan")
        else:
            scratch.copies = environment
            prove_manage(context, "its migrations, on a copy of the database,", "migrate")
        prove_manage(context, "collectstatic", "collectstatic", "--noinput", "-v0")
        prove(context, "gunicorn's configuration", lambda: check_gunicorn(context))
        prove(context, "a trial start", lambda: start_canary(context))
    return "; ".join([f"{context.target.commit[:7]} starts and answers", *notes])


def prove_manage(context: Context, what: str, *args: str) -> None:
    """Run a command of the new code on copies of the site's state."""
    prove(context, what, lambda: context.scratch.manage(*args, live=False, timeout=TIMEOUT))


def prove(context: Context, what: str, attempt: Callable[[], object]) -> None:
    """Raises StepFailed with the last lines of what the new code said."""
    context.write(f"--- {what}\n")
    try:
        attempt()
    except ProcessFailed as error:
        context.fail(
            f"{context.target.commit[:7]} was refused, the site is untouched: {what} failed. "
            f"{last_lines(error.output)} Mend it and push again."
        )


def last_lines(output: str, count: int = 3) -> str:
    """Return the end of a traceback, the part that tells what is wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " / ".join(lines[-count:])[-600:]


def install_requirements(context: Context) -> list[str]:
    """Install what requirements.txt newly asks for; it is put back when the deploy fails."""
    requirements = Requirements(context.run)
    old, new = (
        folder / "requirements.txt" for folder in (settings.DEPLOY_CHECKOUT, context.scratch.tree)
    )
    if not requirements.differ(old, new):
        return []
    frozen = requirements.freeze()
    context.undo.append(lambda: requirements.restore(frozen))
    prove(context, "installing its requirements", lambda: requirements.install(new))
    return ["requirements installed", *requirements.needs_restart(frozen)]


def check_gunicorn(context: Context) -> None:
    context.run(
        [
            settings.DEPLOY_PYTHON,
            *["-m", "gunicorn", "--check-config", "-c", "blogsite/gunicorn_conf.py"],
        ],
        cwd=context.scratch.tree,
        env=context.scratch.environment(live=False),
        timeout=TIMEOUT,
    )


def start_canary(context: Context) -> None:
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    options = ["--host", host, "--timeout", str(TIMEOUT / 2)]
    context.run(
        # -P: the program's own folder holds modules named like those of the standard library.
        [settings.DEPLOY_PYTHON, "-P", str(Path(canary.__file__)), *options, "/healthz", "/"],
        cwd=context.scratch.tree,
        env=context.scratch.environment(live=False),
        timeout=TIMEOUT,
    )
