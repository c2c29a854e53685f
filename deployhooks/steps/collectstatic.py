"""Step collectstatic: the new version's static files join the old ones, which stay served."""

from deployhooks.steps.context import Context

TIMEOUT = 120.0


def collectstatic(context: Context) -> str:
    if not context.code_changes:
        context.skip("only content changes")
    done = context.scratch.manage("collectstatic", "--noinput", live=True, timeout=TIMEOUT)
    return done.output.strip().splitlines()[-1]
