"""Step reload: gunicorn's workers are replaced by new ones, and each proves its version."""

from django.conf import settings

from deployhooks.gunicorn import Gunicorn, ReloadFailed
from deployhooks.steps.context import Context

# Longer than gunicorn gives the new workers to start and the old ones to finish.
RELOAD_TIMEOUT = 120.0


def reload(context: Context) -> str:
    gunicorn = Gunicorn(settings.RUN_DIR)
    commit = context.target.commit
    master = gunicorn.find_master()
    is_needed = context.has_moved or context.must_reload
    if master and not is_needed and gunicorn.all_serve(master, commit):
        context.skip(f"nothing changed and every worker runs {commit[:7]}")
    try:
        timeout = min(RELOAD_TIMEOUT, context.time_left())
        done = gunicorn.reload(commit, timeout, context.stop_if_cancelled)
    except ReloadFailed as error:
        context.fail(str(error))
    pids = ", ".join(str(worker.pid) for worker in done.workers)
    detail = f"{len(done.workers)} new workers run {commit[:7]} (pids {pids})"
    if done.master != context.master:
        detail += "; gunicorn itself had ended and was started again"
    return detail
