"""Putting back: checkout, packages, posts and workers return to the version that worked."""

from __future__ import annotations

from collections.abc import Callable
from itertools import dropwhile
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.module_loading import import_string

from deployhooks.checkout.repair import repair
from deployhooks.gunicorn import Gunicorn
from deployhooks.requirements import Requirements
from deployhooks.steps.collectstatic import put_manifest_back
from deployhooks.steps.context import FAILURES, Context, StepSkipped
from deployhooks.steps.migrate import explain_the_way_back
from deployhooks.steps.preflight import PACKAGES
from deployhooks.visiting import find_broken_page

StepFunction = Callable[[Context], str]


def put_back(context: Context) -> str:
    """Go through the steps from pull on once more, with the version before as their target.

    A git that was killed on the way forward may have left its locks, which are taken away first.
    The files come first, without them there is no going back; of the rest as much as is possible.
    """
    # Workers tell the site's commit, not which code of a submodule they have loaded.
    context.must_reload = context.code_changes and context.target.commit == context.before.commit
    context.target = context.before
    for note in repair(context.checkout, context.scratch.folder, context.stop_if_cancelled):
        context.write(f"{note}\n")
    steps = find_steps_back() if context.has_moved else []
    for pull in steps[:1]:
        act(context, pull.__name__, pull)
        context.deploy.restored = True
    problems = [
        problem
        for name, action in [
            ("requirements", put_packages_back),
            ("static files", put_static_files_back),
            *((step.__name__, step) for step in steps[1:]),
        ]
        if (problem := try_to_act(context, name, action))
    ]
    if problems:
        context.fail(" ".join(problems))
    context.kept.clear()
    look_at_the_site(context)
    live = f"{context.before.commit[:7]} is live"
    return f"put back: {live} again" if context.deploy.restored else live


def look_at_the_site(context: Context) -> None:
    """The version before worked; whether it still does, on the database as it is now.

    Raises StepFailed, with what to do, when a page answers with an error of the server.
    """
    master = Gunicorn(settings.RUN_DIR).find_master()
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    problem = find_broken_page(master, host) if master else ""
    if not problem:
        return
    context.fail(
        f"{problem}, although {context.before.commit[:7]} is checked out and loaded again. "
        + (explain_the_way_back(context.deploy) or "See web.log in the log folder.")
    )


def find_steps_back() -> list[StepFunction]:
    return list(dropwhile(lambda step: step.__name__ != "pull", load_steps()))


def put_packages_back(context: Context) -> str:
    frozen = context.kept.find(PACKAGES)
    if frozen is None:
        context.skip("")
    changed = Requirements(context.run).restore(frozen.splitlines())
    if not changed:
        context.skip("none was changed")
    context.deploy.restored = True
    return f"{changed} packages put back"


def put_static_files_back(context: Context) -> str:
    if not put_manifest_back(context):
        context.skip("")
    context.deploy.restored = True
    return "pages ask for those of the version before again"


def load_steps() -> list[StepFunction]:
    """Return the functions that DEPLOY_STEPS names; a step's name is its function's."""
    return [import_string(path) for path in settings.DEPLOY_STEPS]


def act(context: Context, name: str, action: StepFunction) -> None:
    try:
        done = action(context)
    except StepSkipped as reason:
        done = str(reason)
    if done:
        context.write(f"{name}: {done}\n")


def try_to_act(context: Context, name: str, action: StepFunction) -> str:
    """Return what went wrong, if anything, so that the other actions are still tried."""
    try:
        act(context, name, action)
    except (*FAILURES, OSError) as error:
        context.write(f"{name} FAILED: {error}\n")
        return f"{name}: {error}"
    return ""
