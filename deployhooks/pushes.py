"""Compares the pushes that deliveries told of with the branches that are followed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from deployhooks.models import Delivery
from deployhooks.payloads import JSON_TYPE, NO_COMMIT, InvalidPayload, Payload, parse_payload
from deployhooks.repositories import Source


def read_push(delivery: Delivery) -> Payload | None:
    """What it said when it came; None when that is no push, or not kept."""
    try:
        return parse_payload("push", delivery.payload.encode(), JSON_TYPE)
    except InvalidPayload:
        return None


def is_push_to(payload: Payload, source: Source) -> bool:
    """Whether it is a push to the very branch of the very repository."""
    is_branch = payload.branch is not None and payload.branch == source.branch
    return is_branch and source.is_named_by(payload.urls, payload.full_name)


def find_missing(
    deliveries: Iterable[Delivery], sources: Iterable[Source], is_here: Callable[[str], bool]
) -> list[Delivery]:
    """Those whose commit the remotes should show and do not.

    Not waited for is what a later push took back, and what a branch got that is not followed any
    more: no remote will ever show it.
    """
    sources = list(sources)
    return [
        delivery
        for delivery in deliveries
        if delivery.after not in ("", NO_COMMIT)
        if not is_here(delivery.after)
        if _is_followed(delivery, sources)
        if not _is_superseded(delivery, is_here)
    ]


def _is_followed(delivery: Delivery, sources: Iterable[Source]) -> bool:
    payload = read_push(delivery)
    return payload is None or any(is_push_to(payload, source) for source in sources)


def _is_superseded(delivery: Delivery, is_here: Callable[[str], bool]) -> bool:
    """Whether a push from its commit on, or one after that, is here or deleted the branch."""
    seen, ends = set(), {delivery.after}
    same = Delivery.objects.filter(
        event="push", repository=delivery.repository, ref=delivery.ref
    ).exclude(pk=delivery.pk)
    while ends:
        seen |= ends
        ends = set(same.filter(before__in=ends).values_list("after", flat=True)) - seen
        if any(end == NO_COMMIT or is_here(end) for end in ends):
            return True
    return False
