"""What a person asks first: what is live, does the queue work, what did GitHub send last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from deployhooks.explanations import find_trouble, has_left_mess
from deployhooks.models import Delivery, Deploy, Freeze, Refusal, RemoteState, Step
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
    broken: Deploy | None
    refusals: int
    last_refusal: Refusal | None
    remote: RemoteState | None


def look_over() -> Overview:
    """Gather it for this host in a few short queries, however long the history is."""
    here = Deploy.objects.here()
    running, queued = here.running().first(), here.queued().first()
    busy = running or queued
    last = here.ended().first()
    steps = list(last.steps.defer("output")) if last else []
    refusals, last_refusal = count_refusals()
    return Overview(
        frozen=is_frozen(),
        live=find_live(),
        last=last,
        running=running,
        queued=queued,
        queue_trouble=find_trouble(busy) if busy else "",
        delivery=Delivery.objects.defer("payload", "headers", "answer", "head_message").first(),
        is_uncertain=last is not None and has_left_mess(last, steps),
        broken=last if has_failed_to_put_back(steps) else None,
        refusals=refusals,
        last_refusal=last_refusal,
        remote=RemoteState.objects.filter(host=settings.DEPLOY_HOST).first(),
    )


def find_live() -> Deploy | None:
    """The deploy whose version this host serves; those that failed later were put back to it."""
    return Deploy.objects.here().filter(status=Deploy.Status.SUCCEEDED).first()


def find_broken() -> Deploy | None:
    """Return the last deploy of this host when putting back failed in it."""
    last = Deploy.objects.here().ended().values("pk")[:1]
    failed = Step.objects.filter(deploy=last, name="put_back", status=Step.Status.FAILED)
    step = failed.defer("output").select_related("deploy").first()
    return step.deploy if step else None


def has_failed_to_put_back(steps: Iterable[Step]) -> bool:
    return any(s.name == "put_back" and s.status == Step.Status.FAILED for s in steps)


def count_refusals() -> tuple[int, Refusal | None]:
    """How many requests were refused within the last hour, and the newest of them."""
    since = timezone.now() - REFUSALS_WITHIN
    refusals = list(Refusal.objects.filter(received_at__gte=since).defer("headers"))
    count = sum(1 + refusal.unrecorded for refusal in refusals)
    return count, refusals[0] if refusals else None
