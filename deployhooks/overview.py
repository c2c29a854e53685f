"""What a person asks first: what is live, does the queue work, what did GitHub send last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from deployhooks.explanations import find_trouble, has_left_mess
from deployhooks.models import Delivery, Deploy, Freeze, Refusal, RemoteState
from deployhooks.queue import is_frozen

REFUSALS_WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class Overview:
    frozen: Freeze | None
    live: Deploy | None
    last: Deploy | None
    running: Deploy | None
    queued: Deploy | None
    queue_trouble: str
    delivery: Delivery | None
    is_uncertain: bool
    refusals: int
    last_refusal: Refusal | None
    remote: RemoteState | None


def look_over() -> Overview:
    """Gather it for this host in a few short queries, however long the history is."""
    here = Deploy.objects.here()
    running, queued = here.running().first(), here.queued().first()
    busy = running or queued
    last = here.exclude(status__in=[Deploy.Status.QUEUED, Deploy.Status.RUNNING]).first()
    refusals, last_refusal = count_refusals()
    return Overview(
        frozen=is_frozen(),
        live=find_live(),
        last=last,
        running=running,
        queued=queued,
        queue_trouble=find_trouble(busy) if busy else "",
        delivery=Delivery.objects.defer("payload", "headers", "answer", "head_message").first(),
        is_uncertain=last is not None and has_left_mess(last, list(last.steps.defer("output"))),
        refusals=refusals,
        last_refusal=last_refusal,
        remote=RemoteState.objects.filter(host=settings.DEPLOY_HOST).first(),
    )


def find_live() -> Deploy | None:
    """The deploy whose version this host serves; those that failed later were put back to it."""
    return Deploy.objects.here().filter(status=Deploy.Status.SUCCEEDED).first()


def count_refusals() -> tuple[int, Refusal | None]:
    """How many requests were refused within the last hour, and the newest of them."""
    since = timezone.now() - REFUSALS_WITHIN
    refusals = list(Refusal.objects.filter(received_at__gte=since).defer("headers"))
    count = sum(1 + refusal.unrecorded for refusal in refusals)
    return count, refusals[0] if refusals else None
