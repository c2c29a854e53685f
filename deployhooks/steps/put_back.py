"""Putting back: checkout, submodules, posts and workers return to the version that worked."""

from collections.abc import Callable

from django.conf import settings
from django.utils.module_loading import import_string

from deployhooks.steps.context import Context, StepSkipped

FIRST = "deployhooks.steps.pull.pull"


def put_back(context: Context) -> str:
    """Go through the steps from pull on once more, with the version before as their target."""
    live = f"{context.before.commit[:7]} is live"
    if context.has_moved:
        context.target = context.before
        for path in settings.DEPLOY_STEPS[settings.DEPLOY_STEPS.index(FIRST) :]:
            name = path.rpartition(".")[2]
            context.write(f"{name}: {run_step(import_string(path), context)}\n")
        context.deploy.restored = True
        live = f"put back: {live} again"
    for undo in context.undo:
        context.write(undo() + "\n")
    return live


def run_step(step: Callable[[Context], str], context: Context) -> str:
    try:
        return step(context)
    except StepSkipped as reason:
        return str(reason)
