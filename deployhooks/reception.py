"""Takes a delivery in: its row, its deploy and the queue's row are written in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import django.db
from django.db import connection
from django.utils import timezone

from deployhooks import queue
from deployhooks.checkout import CheckoutError
from deployhooks.decisions import Decision, decide
from deployhooks.models import Delivery, Deploy
from deployhooks.payloads import Payload, storable
from deployhooks.refusals import DATABASE_AWAY, Refused
from deployhooks.signatures import Signed
from deployhooks.sources import read_sources
from deployhooks.transactions import impatient_transaction

logger = logging.getLogger(__name__)

# GitHub waits ten seconds for an answer: these leave time to write the refusal down as well, and
# to connect to a database that is elsewhere.
LOCK_WAIT = {"sqlite": 6.5, "postgresql": 5.0}
RETRY_AFTER = 30
ACCEPTED, OK = 202, 200

Outcome = Delivery.Outcome
CHANGED_BY_AN_ANSWER = [
    "outcome",
    "reason",
    "times_received",
    "last_received_at",
    "answer_status",
    "answer",
]


@dataclass(frozen=True)
class Received:
    """A delivery as it came in: signed and well-formed, but nothing decided about it yet."""

    hook_id: str
    guid: str
    event: str
    payload: Payload
    signed: Signed
    headers: Mapping[str, str]
    remote_address: str | None


@dataclass(frozen=True)
class Verdict:
    """The answer to a request; `deploy` is the number of the deploy that serves the delivery."""

    delivery: str | None
    outcome: str
    reason: str
    deploy: int | None = None

    @property
    def status(self) -> int:
        return ACCEPTED if self.outcome in (Outcome.QUEUED, Outcome.HELD) else OK


def receive(received: Received) -> Verdict:
    """Write the delivery down and ask for the deploy that it calls for.

    When this returns, everything is committed. Raises Refused when it could not be (503) or when
    the site does not know its own repository (500); nothing is written then.
    """
    try:
        decision = decide(received.event, received.payload, read_sources)
    except CheckoutError as error:
        raise Refused(500, str(error)) from error
    try:
        with impatient_transaction(LOCK_WAIT[connection.vendor]):
            verdict = _record(received, decision)
    except django.db.Error as error:
        logger.error("delivery %s could not be written down: %s", received.guid, error)
        raise Refused(
            DATABASE_AWAY,
            "The delivery could not be written down; nothing was queued. Redeliver it later.",
            {"Retry-After": str(RETRY_AFTER)},
        ) from error
    logger.info("delivery %s %s: %s", received.guid, verdict.outcome, verdict.reason)
    return verdict


def _record(received: Received, decision: Decision) -> Verdict:
    # The unique constraint and the lock on the row make two copies of a delivery wait for each
    # other: the second finds the deploy of the first.
    known = Delivery.objects.select_for_update().defer("payload")
    delivery, is_new = known.get_or_create(
        hook_id=received.hook_id, guid=received.guid, defaults=_columns(received)
    )
    repeated = None
    if not is_new:
        delivery.times_received += 1
        delivery.last_received_at = timezone.now()
        repeated = _repeat(delivery)
    verdict = repeated or _carry_out(decision, delivery)
    delivery.answer_status, delivery.answer = verdict.status, asdict(verdict)
    delivery.save(update_fields=CHANGED_BY_AN_ANSWER)
    return verdict


def _repeat(delivery: Delivery) -> Verdict | None:
    """The answer to a delivery whose deploy is on its way or done; None when it needs another."""
    deploy = delivery.newest_deploy()
    if deploy is None or deploy.status in (Deploy.Status.FAILED, Deploy.Status.CANCELLED):
        return None
    reason = f"This delivery came before; its deploy {deploy.pk} is {deploy.status}."
    return Verdict(delivery.guid, Outcome.DUPLICATE, reason, deploy.pk)


def _carry_out(decision: Decision, delivery: Delivery) -> Verdict:
    outcome, reason, deploy = decision.outcome, decision.reason, None
    if outcome == Outcome.QUEUED and (freeze := queue.is_frozen()):
        outcome = Outcome.HELD
        reason += (
            f" Deploys are frozen ({freeze.reason or 'no reason given'}); it waits for the thaw."
        )
    elif outcome == Outcome.QUEUED:
        deploy = _request_deploy(delivery)
    delivery.outcome, delivery.reason = outcome, reason
    return Verdict(delivery.guid, outcome, reason, deploy.pk if deploy else None)


def _request_deploy(delivery: Delivery) -> Deploy:
    """Ask for a deploy; one that repeats an unlucky one serves all deliveries of that."""
    unlucky = delivery.newest_deploy()
    if unlucky is None:
        return queue.request_deploy(
            Deploy.Trigger.PUSH,
            requested_by=storable(delivery.pusher, 150),
            deliveries=[delivery],
        )
    return queue.request_deploy(
        Deploy.Trigger.RERUN,
        requested_by="redelivery",
        deliveries=unlucky.deliveries.all(),
        rerun_of=unlucky,
    )


def _columns(received: Received) -> dict[str, object]:
    payload = received.payload
    return {
        "event": received.event,
        "action": storable(payload.action, 100),
        "repository": storable(payload.full_name, 255),
        "ref": storable(payload.ref, 255),
        "before": storable(payload.before, 40),
        "after": storable(payload.after, 40),
        "pusher": storable(payload.pusher, 255),
        "head_message": storable(payload.head_message, 10_000),
        "headers": dict(received.headers),
        "payload": payload.text,
        "remote_address": received.remote_address,
        "signature_algorithm": received.signed.algorithm,
        "secret_number": received.signed.secret_number,
    }
