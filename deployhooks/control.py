"""What people decide about deploys: freeze, thaw, roll back, cancel."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from deployhooks import queue
from deployhooks.models import Delivery, Deploy, Freeze

logger = logging.getLogger(__name__)


class Refused(Exception):
    """What was asked for cannot be done; the message says why and what to do instead."""


@transaction.atomic
def freeze(reason: str = "", by: str = "") -> Freeze:
    """Hold what is pushed from now on, and what is queued at this moment."""
    frozen, _ = Freeze.objects.update_or_create(
        host=settings.DEPLOY_HOST,
        defaults={"reason": reason, "frozen_by": by, "frozen_at": timezone.now()},
    )
    for deploy in Deploy.objects.here().queued().select_for_update():
        Delivery.objects.filter(deploys=deploy).update(
            outcome=Delivery.Outcome.HELD,
            reason=f"Deploys are frozen: {reason or 'no reason given'}.",
        )
        deploy.call_off(f"Held: deploys were frozen ({reason or 'no reason given'}).")
    logger.info("frozen by %s: %s", by, reason)
    return frozen


@transaction.atomic
def thaw(by: str = "") -> Deploy | None:
    """End the freeze; return the deploy of what was held, None when nothing was."""
    Freeze.objects.filter(host=settings.DEPLOY_HOST).delete()
    held = list(Delivery.objects.filter(outcome=Delivery.Outcome.HELD).order_by("id"))
    logger.info("thawed by %s, %s deliveries were held", by, len(held))
    if not held:
        return None
    # A push must not be counted as served by a rollback that it would join.
    for rollback in Deploy.objects.here().queued().exclude(rollback_to=None):
        rollback.call_off("Deploys were thawed before it began.")
    deploy = queue.request_deploy(Deploy.Trigger.PUSH, requested_by=by, deliveries=held)
    Delivery.objects.filter(pk__in=[delivery.pk for delivery in held]).update(
        outcome=Delivery.Outcome.QUEUED,
        reason=f"Held while deploys were frozen; deploy {deploy.pk} serves it.",
    )
    return deploy


@transaction.atomic
def roll_back(to: Deploy | None = None, by: str = "") -> Deploy:
    """Ask for the version of an earlier deploy, by default the one before the live one.

    Freezes, so that the next push does not silently undo it. Raises Refused when there is nothing
    to go back to.
    """
    target = to or find_previous()
    if target.status != Deploy.Status.SUCCEEDED:
        raise Refused(
            f"Deploy {target.pk} is {target.status}: only one that succeeded can be live."
        )
    if target.host != settings.DEPLOY_HOST:
        raise Refused(
            f"Deploy {target.pk} was one of {target.host}, this is {settings.DEPLOY_HOST}."
        )
    freeze(f"rolled back to deploy {target.pk} ({target.to_commit[:7]})", by)
    return queue.request_deploy(Deploy.Trigger.ROLLBACK, requested_by=by, rollback_to=target)


def find_previous() -> Deploy:
    """Return the newest deploy whose version is another than the live one; raises Refused."""
    succeeded = (
        Deploy.objects.here().filter(status=Deploy.Status.SUCCEEDED).order_by("-finished_at")
    )
    live = succeeded.first()
    for deploy in succeeded[1:] if live else ():
        if live and deploy.version != live.version:
            return deploy
    raise Refused("There is no earlier version to go back to: no other deploy has succeeded.")


def cancel(deploy: Deploy, by: str = "") -> Deploy:
    """End a queued deploy at once, a running one within two seconds. Raises Refused when final."""
    if deploy.call_off(f"Cancelled by {by or 'somebody'}."):
        return deploy
    asked = Deploy.objects.filter(pk=deploy.pk, status=Deploy.Status.RUNNING).update(
        cancel_requested_at=timezone.now(), cancel_requested_by=by
    )
    deploy.refresh_from_db()
    if not asked:
        raise Refused(f"Deploy {deploy.pk} is {deploy.status} already.")
    return deploy
