"""Deploys and deliveries as JSON objects: what `deploys`, `deliveries` and `--wait` print."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypedDict

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery

from deployhooks.models import Delivery, Deploy, Step
from deployhooks.wording import clean_controls


class StepShape(TypedDict):
    name: str
    status: str
    detail: str
    started_at: str | None
    finished_at: str | None
    output: str


class DeployShape(TypedDict):
    id: int
    status: str
    trigger: str
    rerun_of: int | None
    deliveries: list[str]
    from_commit: str | None
    to_commit: str | None
    submodules: dict[str, Any]
    queued_at: str | None
    started_at: str | None
    finished_at: str | None
    host: str
    attempt: int
    error: str
    restored: bool
    steps: list[StepShape]


class DeliveryShape(TypedDict):
    guid: str
    hook_id: str
    event: str
    repository: str
    ref: str
    after: str | None
    outcome: str
    reason: str
    times_received: int
    received_at: str
    deploy: int | None


def to_json(document: object) -> str:
    """Escape everything outside ASCII: what came with a payload may be no text that prints."""
    return json.dumps(document, indent=2)


def describe_newest_deploys(limit: int) -> list[DeployShape]:
    """The newest deploys of all hosts, newest first."""
    return [describe_deploy(deploy) for deploy in _with_log()[:limit]]


def describe_one_deploy(deploy_id: int) -> DeployShape:
    return describe_deploy(_with_log().get(pk=deploy_id))


def describe_newest_deliveries(limit: int) -> list[DeliveryShape]:
    """The newest deliveries, newest first; `deploy` is the newest of those that serve one."""
    served = Deploy.deliveries.through.objects.filter(delivery=OuterRef("pk"))
    newest = Subquery(served.order_by("-deploy").values("deploy")[:1])
    columns = [name for name in DeliveryShape.__annotations__ if name != "deploy"]
    deliveries = Delivery.objects.only(*columns).annotate(deploy=newest)
    return [
        {
            "guid": delivery.guid,
            "hook_id": delivery.hook_id,
            "event": delivery.event,
            "repository": delivery.repository,
            "ref": delivery.ref,
            "after": delivery.after or None,
            "outcome": delivery.outcome,
            "reason": delivery.reason,
            "times_received": delivery.times_received,
            "received_at": delivery.received_at.isoformat(),
            "deploy": delivery.deploy,
        }
        for delivery in deliveries[:limit]
    ]


def describe_deploy(deploy: Deploy) -> DeployShape:
    """Commits that are not known yet are null; so are times that have not come."""
    return {
        "id": deploy.pk,
        "status": deploy.status,
        "trigger": deploy.trigger,
        "rerun_of": deploy.rerun_of_id,
        "deliveries": [delivery.guid for delivery in deploy.deliveries.all()],
        "from_commit": deploy.from_commit or None,
        "to_commit": deploy.to_commit or None,
        "submodules": deploy.submodules,
        "queued_at": _iso(deploy.queued_at),
        "started_at": _iso(deploy.started_at),
        "finished_at": _iso(deploy.finished_at),
        "host": deploy.host,
        "attempt": deploy.attempt,
        "error": deploy.error,
        "restored": deploy.restored,
        "steps": _describe_steps(newest_attempt(deploy.steps.all())),
    }


def newest_attempt(steps: Iterable[Step]) -> list[Step]:
    """A deploy whose worker died begins anew: only the newest attempt tells how it went."""
    steps = list(steps)
    newest = max((step.attempt for step in steps), default=0)
    return [step for step in steps if step.attempt == newest]


def _describe_steps(steps: Iterable[Step]) -> list[StepShape]:
    return [
        {
            "name": step.name,
            "status": step.status,
            "detail": step.detail,
            "started_at": _iso(step.started_at),
            "finished_at": _iso(step.finished_at),
            "output": step.output,
        }
        for step in steps
    ]


def _with_log() -> QuerySet[Deploy]:
    guids = Delivery.objects.only("guid").order_by("id")
    return Deploy.objects.prefetch_related("steps", Prefetch("deliveries", queryset=guids))


def _iso(when: datetime | None) -> str | None:
    return when.isoformat() if when else None


def render_log(deploy: Deploy) -> str:
    """The whole log as text, to be read on or handed to somebody."""
    parts = [f"Deploy {deploy.pk} {deploy.status}: {deploy.error}".rstrip(": ")]
    for step in deploy.steps.all():
        parts.append(f"\n--> {step.name}: {step.status}. {step.detail}".rstrip())
        parts.append(clean_controls(step.output).rstrip("\n"))
    return "\n".join(part for part in parts if part) + "\n"
