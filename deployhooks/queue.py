"""Asks for deploys: joins the one that waits or makes one, together with its queue row."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import timedelta

import psutil
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

from deployhooks import cluster
from deployhooks.models import Delivery, Deploy, Freeze
from deployhooks.recovery import MAX_ATTEMPTS

logger = logging.getLogger(__name__)


def is_frozen() -> Freeze | None:
    """Return what holds the deploys of this host, None when nothing does."""
    return Freeze.objects.filter(host=settings.DEPLOY_HOST).first()


@transaction.atomic
def request_deploy(
    trigger: Deploy.Trigger,
    *,
    requested_by: str = "",
    deliveries: Iterable[Delivery] = (),
    rerun_of: Deploy | None = None,
    rollback_to: Deploy | None = None,
) -> Deploy:
    """Return the deploy that will do what is asked for: the one that is queued, or a new one.

    The queue row is written in the same transaction, the caller's when there is one: either all of
    it is there or nothing.
    """
    deploy, is_new = Deploy.objects.select_for_update().get_or_create(
        host=settings.DEPLOY_HOST,
        status=Deploy.Status.QUEUED,
        defaults={
            "trigger": trigger,
            "requested_by": requested_by,
            "rerun_of": rerun_of,
            "rollback_to": rollback_to,
        },
    )
    if is_new:
        enqueue(deploy)
    elif deploy.cancel_requested_at or deploy.deaths >= MAX_ATTEMPTS:
        deploy.begin_anew(trigger, rerun_of, rollback_to)
    elif deploy.rollback_to and trigger in (Deploy.Trigger.PUSH, Deploy.Trigger.DRIFT):
        # Pushes are held while a rollback is meant to last: this one is to go live.
        deploy.rollback_to = None
        deploy.save(update_fields=["rollback_to"])
    elif rerun_of and not deploy.rerun_of:
        deploy.rerun_of = rerun_of
        deploy.save(update_fields=["rerun_of"])
    elif trigger == Deploy.Trigger.MANUAL and not deploy.rollback_to:
        # A person wants the newest version, also where it was refused before.
        deploy.trigger = trigger
        deploy.save(update_fields=["trigger"])
    deploy.deliveries.add(*deliveries)
    logger.info("deploy %s %s by %s", deploy.pk, "queued" if is_new else "joined", trigger)
    return deploy


@transaction.atomic
def hand_on(deploy: Deploy, deliveries: Collection[Delivery]) -> str:
    """Let another deploy serve these deliveries of a running one, which goes on without them.

    While deploys are frozen they are held. Returns what became of them, in words.
    """
    deploy.deliveries.remove(*deliveries)
    if is_frozen():
        outcome, fate = Delivery.Outcome.HELD, "deploys are frozen, and it waits for the thaw."
    else:
        other = request_deploy(
            Deploy.Trigger.PUSH, requested_by=deploy.requested_by, deliveries=deliveries
        )
        outcome, fate = Delivery.Outcome.QUEUED, f"deploy {other.pk} looks for it again."
    for delivery in deliveries:
        delivery.outcome = outcome
        delivery.reason = f"No remote had {delivery.after[:7]} for deploy {deploy.pk}; {fate}"
        delivery.save(update_fields=["outcome", "reason"])
    return fate


def enqueue(deploy: Deploy) -> None:
    """Tell the queue to look at a deploy; harmless when it is told twice."""
    async_task("deployhooks.tasks.run_deploy", deploy.pk, task_name=task_name(deploy))


def enqueue_waiting() -> None:
    """Tell a queue that begins of all that waits: the one before may have left it."""
    for deploy in Deploy.objects.here().queued():
        enqueue_again(deploy)


@transaction.atomic
def enqueue_again(deploy: Deploy) -> None:
    """Replace the queue rows of a deploy by a new one: the old may be locked by a dead worker."""
    for row in OrmQ.objects.all():
        if row.name() == task_name(deploy):
            row.delete()
    enqueue(deploy)


def drop_unacknowledged(age: timedelta) -> int:
    """Delete the queue rows of deploys that ended longer ago than `age`; return how many."""
    ended = Deploy.objects.here().filter(finished_at__lt=timezone.now() - age)
    names = {task_name(deploy) for deploy in ended.order_by("-pk")[:100]}
    rows = [row for row in OrmQ.objects.all() if row.name() in names]
    for row in rows:
        row.delete()
    return len(rows)


def task_name(deploy: Deploy) -> str:
    return f"deploy-{deploy.pk}"


def schedule_housekeeping() -> None:
    """Have old history deleted every day; nothing changes when that is scheduled already."""
    Schedule.objects.get_or_create(
        name="prune_history",
        defaults={
            "func": "deployhooks.tasks.prune_history",
            "schedule_type": Schedule.DAILY,
            "next_run": timezone.now() + timedelta(hours=1),
        },
    )


def rerun(deploy: Deploy, requested_by: str = "") -> Deploy:
    """Ask for what a deploy did once more; the old one stays as it is.

    The new one serves the old one's deliveries. Raises ValueError while the old one is not final.
    """
    if not deploy.is_final:
        raise ValueError(f"Deploy {deploy.pk} is still {deploy.status}: wait for its end.")
    return request_deploy(
        Deploy.Trigger.RERUN,
        requested_by=requested_by,
        deliveries=deploy.deliveries.all(),
        rerun_of=deploy,
        rollback_to=deploy.rollback_to,
    )


def restart() -> None:
    """Let the queue start afresh, called by a task as its last act: it then runs the new code.

    The cluster finishes what it has taken and ends; supervisor starts it again. Does nothing
    outside a cluster, as in a shell.
    """
    sentinel = psutil.Process().parent()
    main = cluster.find()
    if main and sentinel and sentinel.parent() == main:
        logger.info("restarting the queue (%s): the code has changed", main.pid)
        main.terminate()
