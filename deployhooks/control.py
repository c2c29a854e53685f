"""What people decide about deploys: freeze, thaw, roll back, cancel."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from deployhooks import queue
from deployhooks.checkout import Checkout, CheckoutError
from deployhooks.models import Delivery, Deploy, Freeze
from deployhooks.newer_migrations import describe_newer, find_newer_migrations

logger = logging.getLogger(__name__)

# How the error of a deploy begins that a freeze has called off.
HELD = "Held:"


class Refused(Exception):
    """What was asked for cannot be done; the message says why and what to do instead."""


@transaction.atomic
def freeze(reason: str = "", by: str = "") -> Freeze:
    """Hold what is pushed from now on, and what is queued at this moment."""
    said = {"reason": reason, "frozen_by": by}
    frozen, _ = Freeze.objects.update_or_create(
        host=settings.DEPLOY_HOST,
        defaults=said,
        create_defaults={**said, "frozen_at": timezone.now()},
    )
    for deploy in Deploy.objects.here().queued().select_for_update():
        Delivery.objects.filter(deploys=deploy).update(
            outcome=Delivery.Outcome.HELD,
            reason=f"Deploys are frozen: {reason or 'no reason given'}.",
        )
        if not deploy.call_off(f"{HELD} deploys were frozen ({reason or 'no reason given'})."):
            deploy.ask_to_cancel("a freeze")
    logger.info("frozen by %s: %s", by, reason)
    return frozen


@transaction.atomic
def thaw(by: str = "") -> Deploy | None:
    """End the freeze; return the deploy of what was held, None when nothing was."""
    held = list(Delivery.objects.filter(outcome=Delivery.Outcome.HELD).order_by("id"))
    asked = find_held_deploy()
    Freeze.objects.filter(host=settings.DEPLOY_HOST).delete()
    logger.info("thawed by %s, %s deliveries were held", by, len(held))
    if not held and not asked:
        return None
    # What was held must not join a deploy that goes back.
    for rollback in Deploy.objects.here().queued().exclude(rollback_to=None).select_for_update():
        if not rollback.call_off(f"Deploys were thawed by {by or 'somebody'} before it began."):
            rollback.ask_to_cancel(by)
    trigger = Deploy.Trigger.PUSH if held else Deploy.Trigger.MANUAL
    deploy = queue.request_deploy(trigger, requested_by=by, deliveries=held)
    Delivery.objects.filter(pk__in=[delivery.pk for delivery in held]).update(
        outcome=Delivery.Outcome.QUEUED,
        reason=f"Held while deploys were frozen; deploy {deploy.pk} serves it.",
    )
    return deploy


def find_held_deploy() -> Deploy | None:
    """Return a deploy that was called off by the freeze that holds now; no rollback is meant."""
    frozen = queue.is_frozen()
    if frozen is None:
        return None
    called_off = Deploy.objects.here().filter(
        status=Deploy.Status.CANCELLED, error__startswith=HELD, finished_at__gte=frozen.frozen_at
    )
    return called_off.filter(rollback_to=None).first()


@transaction.atomic
def roll_back(to: Deploy | None = None, by: str = "") -> Deploy:
    """Ask for the version of an earlier deploy, by default the one before the live one.

    Freezes, so that the next push does not silently undo it. Raises Refused when there is nothing
    to go back to.
    """
    target = find_target(to)
    freeze(f"rolled back to deploy {target.pk} ({target.to_commit[:7]})", by)
    return queue.request_deploy(Deploy.Trigger.ROLLBACK, requested_by=by, rollback_to=target)


def find_target(to: Deploy | None = None) -> Deploy:
    """Return the deploy that a rollback goes to; raises Refused."""
    target = to or find_previous()
    if target.status != Deploy.Status.SUCCEEDED:
        raise Refused(
            f"Deploy {target.pk} is {target.status}: only one that succeeded can be live."
        )
    if target.host != settings.DEPLOY_HOST:
        raise Refused(
            f"Deploy {target.pk} was one of {target.host}, this is {settings.DEPLOY_HOST}."
        )
    return target


def find_previous() -> Deploy:
    """Return the newest deploy before the live one that had another version; raises Refused.

    After a rollback that is one before the version gone back to, not the one that was left.
    """
    succeeded = Deploy.objects.here().filter(status=Deploy.Status.SUCCEEDED).order_by("-pk")
    live = succeeded.first()
    origin = live
    while origin and origin.rollback_to:
        origin = origin.rollback_to
    for deploy in succeeded.filter(pk__lt=origin.pk) if origin else ():
        if live and deploy.version != live.version:
            return deploy
    raise Refused("There is no earlier version to go back to: no other deploy has succeeded.")


def warn_about(target: Deploy) -> str:
    """What a person should know before going back to a deploy; empty when there is nothing."""
    checkout = Checkout(settings.DEPLOY_CHECKOUT, settings.DEPLOY_REMOTE, settings.DEPLOY_BRANCH)
    try:
        return describe_newer(find_newer_migrations(checkout, target.to_commit))
    except CheckoutError as error:
        return f"Whether migrations lie between could not be found out: {error}"


def cancel(deploy: Deploy, by: str = "") -> Deploy:
    """End a queued deploy at once, a running one within two seconds. Raises Refused when final."""
    if not deploy.call_off(f"Cancelled by {by or 'somebody'}.") and not deploy.ask_to_cancel(by):
        raise Refused(f"Deploy {deploy.pk} is {deploy.status} already.")
    return deploy
