"""Runs a deploy: claims its row, goes through the steps, puts back what failed, closes the row."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import django.db
from django.db import IntegrityError, transaction

from deployhooks import cluster, recovery
from deployhooks.checkout import CheckoutError, Version
from deployhooks.checkout.repair import repair
from deployhooks.lease import Cancelled, Interrupted, Lease, LeaseLost, claim, find_claimed
from deployhooks.models import Deploy, Step
from deployhooks.steplog import StepLog
from deployhooks.steps.context import FAILURES, Context, StepFailed, StepSkipped
from deployhooks.steps.migrate import applied_by
from deployhooks.steps.put_back import StepFunction, load_steps, put_back

logger = logging.getLogger(__name__)

# Until the first of these a deploy can be interrupted without a trace.
CHANGES_WHAT_IS_LIVE = ("migrate", "pull")
# Seconds to wait for another process that works on the checkout.
LOCK_TIMEOUT = 30.0
# Seconds to wait for a database that has gone away, and between two looks whether it is back.
DATABASE_TIMEOUT = 50.0
DATABASE_PAUSE = 1.0


def run_deploy(deploy_id: int) -> bool:
    """Run a queued deploy to its end; return whether the queue should start afresh with new code.

    Does nothing when the deploy is not queued any more or another one runs: the row is the truth,
    the queue may say it twice.
    """
    if cluster.is_stopping():
        return False  # the next queue is told of all that waits when it begins
    try:
        deploy = _claim(deploy_id)
        return deploy is not None and _run_claimed(deploy)
    except django.db.Error as error:
        if not _hand_back(deploy_id, error):
            raise
        return False


def _claim(deploy_id: int) -> Deploy | None:
    try:
        return claim(deploy_id)
    except IntegrityError:
        logger.info("deploy %s: another one is running", deploy_id)
        return None


def _run_claimed(deploy: Deploy) -> bool:
    logger.info("deploy %s: attempt %s begins", deploy.pk, deploy.attempt)
    lease = Lease(deploy)
    lease.look()  # a cancel may have come while an earlier attempt ran
    with recovery.marking_children(deploy), lease:
        context = Context(deploy, lease)
        try:
            _run_and_close(context)
        except LeaseLost:
            logger.warning("deploy %s: another process has taken it over", deploy.pk)
        except Interrupted:
            why = "The server was stopped before anything live changed."
            recovery.return_to_queue(deploy, why, is_stop=True)
        except django.db.Error:
            raise
        except BaseException as error:
            applied = _describe_applied(deploy)
            deploy.fail(f"An error of blogsite itself, please report it: {error!r}.{applied}")
            raise
    logger.info("deploy %s: %s", deploy.pk, deploy.status)
    # A queue that takes up a deploy may have been started from code that was put back since.
    is_mixed = deploy.attempt > 1 and deploy.from_commit != deploy.to_commit
    return is_mixed or (_has_moved(context) and context.code_changes)


def _run_and_close(context: Context) -> None:
    deploy = context.deploy
    try:
        with hold_checkout(context.checkout.git_dir, partial(_stop_waiting, context)):
            _go_forward_or_back(context)
    except FAILURES as error:
        deploy.fail(f"{error}{_describe_applied(deploy)}")
    except Cancelled:
        deploy.cancel(_describe_applied(deploy))


def _hand_back(deploy_id: int, error: django.db.Error) -> bool:
    """Return the deploy to the queue when the database is back; nothing could be recorded.

    False when this process has not claimed it. When the database stays away, watch_deploys finds
    that the heartbeat has stopped.
    """
    logger.warning("deploy %s: the database fails, nothing can be recorded: %s", deploy_id, error)
    ends = time.monotonic() + DATABASE_TIMEOUT
    while True:
        django.db.connection.close()
        try:
            deploy = find_claimed(deploy_id)
            if deploy is not None:
                why = f"The database failed during attempt {deploy.attempt}: {error}."
                recovery.return_to_queue(deploy, why)
            return deploy is not None
        except django.db.Error:
            if time.monotonic() > ends:
                raise
            time.sleep(DATABASE_PAUSE)


def _describe_applied(deploy: Deploy) -> str:
    applied = applied_by(deploy)
    return f" Migrations that were applied stay applied: {', '.join(applied)}." if applied else ""


def _go_forward_or_back(context: Context) -> None:
    is_last = recovery.is_only_put_back(context.deploy)
    if is_last:
        context.shield()
    check = partial(_stop_waiting, context)
    context.notes += repair(context.checkout, context.scratch.folder, check)
    context.before = _read_before(context)
    try:
        if is_last:
            raise _describe_deaths(context.deploy)
        for step in load_steps():
            run_step(context, step)
    except LeaseLost:
        raise
    except BaseException as error:
        if _must_put_back(context):
            _put_back(context, error)
        raise
    finally:
        context.scratch.remove()
    _succeed_or_put_back(context)


def _succeed_or_put_back(context: Context) -> None:
    """Close the row, unless a cancel was accepted first: then what has moved is put back."""
    with transaction.atomic():
        is_closed = context.deploy.succeed()
        if is_closed:
            context.kept.clear()
    if is_closed:
        return
    if not context.lease.row.exists():
        raise LeaseLost
    if _must_put_back(context):
        _put_back(context, Cancelled())
    raise Cancelled


def _stop_waiting(context: Context) -> None:
    """Let a cancel end a wait before the first step.

    Not where an earlier attempt may have moved what is to be put back first, by the steps.
    """
    if not context.deploy.from_commit:
        context.stop_if_cancelled()


def _describe_deaths(deploy: Deploy) -> Exception:
    if deploy.cancel_requested_at:
        return Cancelled()
    return StepFailed(
        f"The process that ran it died in each of {recovery.MAX_ATTEMPTS} attempts: see queue.log, "
        "then push a correction or re-run this deploy."
    )


def _must_put_back(context: Context) -> bool:
    """Whether there is something to put back, or to look at: the old code on new tables."""
    return _has_moved(context) or bool(context.kept) or bool(applied_by(context.deploy))


def _has_moved(context: Context) -> bool:
    """Whether something was moved; a checkout that cannot be read any more was."""
    try:
        return context.has_moved
    except CheckoutError:
        return True


def _read_before(context: Context) -> Version:
    """Return the version to come back to: what an earlier attempt found, or what is there now."""
    deploy = context.deploy
    if not deploy.from_commit:
        return context.checkout.version()
    found = {path: move["from"] for path, move in deploy.submodules.items() if move["from"]}
    return Version(deploy.from_commit, found)


def _put_back(context: Context, cause: BaseException) -> None:
    """Put back; when that fails too the deploy is failed at once, in words that say so."""
    context.shield()
    try:
        run_step(context, put_back)
    except (LeaseLost, django.db.Error):
        raise
    except Exception as error:
        logger.exception("deploy %s: putting back failed", context.deploy.pk)
        context.deploy.restored = False
        context.deploy.fail(
            f"Putting back failed, what is live is not certain: {error} Look at the server now, "
            f"mend the cause and re-run this deploy. It was put back because: {cause or cause!r}"
            f"{_describe_applied(context.deploy)}"
        )


def run_step(context: Context, function: StepFunction) -> None:
    """Run one step inside its row: written before the effect, closed after it."""
    context.stop_if_cancelled()
    if function.__name__ in CHANGES_WHAT_IS_LIVE:
        context.lease.commit()
    step = Step.objects.create(
        deploy=context.deploy,
        attempt=context.deploy.attempt,
        position=context.deploy.steps.filter(attempt=context.deploy.attempt).count() + 1,
        name=function.__name__,
    )
    with context.logging_to(StepLog(step)):
        status, detail = Step.Status.FAILED, "ended by the queue"
        try:
            detail = function(context)
            status = Step.Status.SUCCEEDED
        except StepSkipped as reason:
            status, detail = Step.Status.SKIPPED, str(reason)
        except FAILURES as error:
            detail = str(error)
            raise
        except OSError as error:
            detail = f"The system refused: {error}. {_advise(error)}"
            raise StepFailed(detail) from error
        except (Cancelled, Interrupted, LeaseLost):
            detail = "ended: the deploy was cancelled, interrupted or given to another process"
            raise
        except Exception as error:
            detail = f"An error of blogsite itself: {error!r}"
            context.write(traceback.format_exc())
            raise
        finally:
            step.close(status, detail)


def _advise(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full: make room, then re-run this deploy."
    return "Mend that and re-run this deploy; `manage.py doctor` looks at owners and space."


@contextmanager
def hold_checkout(git_dir: Path, check: Callable[[], None]) -> Iterator[None]:
    """Be the only process that works on this checkout, also when the database is not asked.

    The lock goes with the process that holds it. Raises StepFailed when it is not free in time, and
    what `check`, called while it waits, raises.
    """
    descriptor = os.open(git_dir / "blogsite.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + LOCK_TIMEOUT
        while not _lock(descriptor):
            if time.monotonic() > deadline:
                raise StepFailed(
                    f"Another process works on the checkout: {git_dir / 'blogsite.lock'} was "
                    f"locked for {LOCK_TIMEOUT:.0f} s. Wait for its end and re-run this deploy."
                )
            check()
            time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
