"""Takes up what a dead process left: its children are ended, its deploy goes back to the queue."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psutil
from django.conf import settings
from django.db import transaction

from deployhooks import process
from deployhooks.checkout import Checkout, CheckoutError
from deployhooks.identity import lives, read_boot_id, read_start
from deployhooks.kept import Kept
from deployhooks.models import Deploy, Step

logger = logging.getLogger(__name__)

# One more attempt only puts back what these have changed.
MAX_ATTEMPTS = 3
# How the error of a deploy ends that died while another one waited.
TAKEN_UP = "takes its work up."
# Every process that a deploy starts inherits this, whoever starts it: nothing gets lost between its
# start and its note in the row.
MARK = "DEPLOYHOOKS_LEASE"


@contextmanager
def marking_children(deploy: Deploy) -> Iterator[None]:
    """Mark the processes that are started meanwhile as children of this deploy's attempt."""
    os.environ[MARK] = mark_of(deploy)
    try:
        yield
    finally:
        del os.environ[MARK]


def mark_of(deploy: Deploy) -> str:
    return f"{deploy.boot_id}/{deploy.pid}/{deploy.pid_started_at}/{deploy.pk}/{deploy.attempt}"


def is_alive(deploy: Deploy) -> bool:
    """Whether the very process that runs a deploy still lives."""
    if deploy.boot_id != read_boot_id() or deploy.pid is None:
        return False
    return lives(deploy.pid, deploy.pid_started_at)


def end_children(deploy: Deploy) -> None:
    """Kill what a dead deploy left running; never a later process of the same number."""
    if deploy.boot_id != read_boot_id():
        return
    for group, started in deploy.process_groups:
        # A leader that has ended may have left children: its number is not free before they end.
        if read_start(group) in (None, started):
            process.kill_group(group)
    for group in _find_marked_groups(mark_of(deploy)):
        process.kill_group(group)


def _find_marked_groups(mark: str) -> set[int]:
    groups = set()
    for found in psutil.process_iter():
        try:
            if found.environ().get(MARK) == mark:
                groups.add(os.getpgid(found.pid))
        except (psutil.Error, ProcessLookupError):
            continue
    return groups - {os.getpgrp()}


@transaction.atomic
def return_to_queue(deploy: Deploy, why: str, *, is_stop: bool = False) -> timedelta | None:
    """A deploy that cannot go on is queued again, or joins the one that is queued.

    An orderly stop is no death: however often the server is restarted, no push is lost by that.
    Returns the pause before its next attempt; None when there is none: it failed after three, and
    one more to put back where that was needed; its work is taken up by another deploy; or it does
    not run any more at all.
    """
    here = Deploy.objects.select_for_update()
    if not here.running().filter(pk=deploy.pk, attempt=deploy.attempt).exists():
        return None
    end_children(deploy)
    logger.warning("deploy %s: %s", deploy.pk, why)
    for step in deploy.steps.filter(status=Step.Status.RUNNING):
        step.close(Step.Status.FAILED, why)
    if waiting := here.here().queued().first():
        _join(deploy, waiting, why)
    elif is_stop:
        deploy.return_to_queue(timedelta(), is_stop=True)
    elif is_only_put_back(deploy):
        _give_up(deploy, why)
    elif deploy.deaths == MAX_ATTEMPTS and not has_left_something(deploy):
        deploy.fail(f"{why} It was the last attempt: see queue.log, then re-run this deploy.")
    else:
        pause = timedelta(seconds=settings.DEPLOY_ATTEMPT_PAUSE * 3 ** (deploy.deaths - 1))
        if deploy.deaths == MAX_ATTEMPTS:
            pause = timedelta()
        deploy.return_to_queue(pause)
        return pause
    return None


def _give_up(deploy: Deploy, why: str) -> None:
    """Putting back died as well, perhaps before its step began: that is shouted by its step."""
    at = {"attempt": deploy.attempt, "name": "put_back"}
    step, _ = deploy.steps.get_or_create(**at, defaults={"position": 1})
    step.close(Step.Status.FAILED, why)
    deploy.fail(
        f"Putting back failed, what is live is not certain: {why} Look at the server now, see "
        "queue.log, then re-run this deploy."
    )


def is_only_put_back(deploy: Deploy) -> bool:
    """Whether a deploy that runs has had its attempts and is to be put back."""
    return deploy.deaths > MAX_ATTEMPTS


def has_left_something(deploy: Deploy) -> bool:
    """Whether its attempts, or those of a deploy whose work it took up, changed what is live."""
    if Kept(settings.DATA_DIR / "kept") or deploy.steps.filter(name="pull").exists():
        return True
    checkout = Checkout(settings.DEPLOY_CHECKOUT, settings.DEPLOY_REMOTE, settings.DEPLOY_BRANCH)
    try:
        return bool(deploy.from_commit) and (
            checkout.is_torn() or checkout.head_commit() != deploy.from_commit
        )
    except CheckoutError:
        return True


def _join(dead: Deploy, waiting: Deploy, why: str) -> None:
    """The waiting deploy comes back to what the dead one found, and serves what that served."""
    waiting.take_over(dead)
    if dead.cancel_requested_at:
        dead.cancel()
    else:
        waiting.deliveries.add(*dead.deliveries.all())
        dead.fail(f"{why} Deploy {waiting.pk} {TAKEN_UP}")
