"""Tells whether the site's newest commit was refused, and whether somebody asks for it again."""

from __future__ import annotations

from django.db.models import F, Q

from deployhooks.models import Delivery, Deploy, Step
from deployhooks.pushes import is_push_to, read_push
from deployhooks.recovery import MAX_ATTEMPTS, TAKEN_UP
from deployhooks.repositories import Source
from deployhooks.sources import read_sources

# Their failures are git's and the network's, the others say something about the code.
STEPS_OF_GIT = ("fetch", "pull", "submodules", "put_back")


def find_refusal(commit: str) -> Deploy | None:
    """The newest deploy that refused a commit of the site, or put it back.

    None when there is none, or when the commit went live since.
    """
    tried = Deploy.objects.here().filter(to_commit=commit)
    steps = Step.objects.filter(status=Step.Status.FAILED, attempt=F("deploy__attempt"))
    in_code = Q(pk__in=steps.exclude(name__in=STEPS_OF_GIT).values("deploy"))
    is_put_back_only = Q(attempt__gt=F("stops") + MAX_ATTEMPTS)
    failed = tried.filter(in_code | is_put_back_only, status=Deploy.Status.FAILED)
    refusal = failed.exclude(error__endswith=TAKEN_UP).order_by("-pk").first()
    worked = tried.filter(status=Deploy.Status.SUCCEEDED)
    if refusal is None or worked.filter(pk__gt=refusal.pk).exists():
        return None
    return refusal


def is_site_asked_for(deploy: Deploy) -> bool:
    """Whether the site's own newest commit is meant, refused or not: pushed, or asked for."""
    if deploy.trigger not in (Deploy.Trigger.PUSH, Deploy.Trigger.DRIFT) or deploy.rerun_of_id:
        return True
    deliveries = list(deploy.deliveries.all())
    if not deliveries:
        return deploy.trigger == Deploy.Trigger.PUSH
    site = next(read_sources())
    return any(is_of(delivery, site) for delivery in deliveries)


def is_of(delivery: Delivery, site: Source) -> bool:
    """Whether a delivery is a push to the site; one that is not kept may be."""
    payload = read_push(delivery)
    return payload is None or is_push_to(payload, site)
