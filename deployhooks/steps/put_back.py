"""Putting back: checkout, submodules, posts and workers return to the version that worked."""

from collections.abc import Callable
from itertools import dropwhile

from django.conf import settings
from django.utils.module_loading import import_string

from deployhooks.steps.context import Context, StepSkipped

StepFunction = Callable[[Context], str]


def put_back(context: Context) -> str:
    """Go through the steps from pull on once more, with the version before as their target."""
    live = f"{context.before.commit[:7]} is live"
    if context.has_moved:
        context.target = context.before
        for step in dropwhile(lambda step: step.__name__ != "pull", load_steps()):
            context.write(f"{step.__name__}: {run_step(step, context)}\n")
        context.deploy.restored = True
        live = f"put back: {live} again"
    for undo in context.undo:
        context.write(undo() + "\n")
    return live


def load_steps() -> list[StepFunction]:
    """Return the functions that DEPLOY_STEPS names; a step's name is its function's."""
    return [import_string(path) for path in settings.DEPLOY_STEPS]


def run_step(step: StepFunction, context: Context) -> str:
    try:
        return step(context)
    except StepSkipped as reason:
        return str(reason)
