"""Deletes what nobody will ask for any more: the database of a small machine stays small."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Model, QuerySet
from django.utils import timezone
from django_q.models import Task

from deployhooks.models import Delivery, Deploy

DAYS = 90
# A rollback needs deploys to go back to, however old they are.
DEPLOYS_KEPT = 50
# Rows in one transaction: writers that wait behind it are webhooks.
BATCH = 500


def prune_history(days: int = DAYS) -> dict[str, int]:
    """Delete deliveries, deploys and task rows older than `days`; return how many of each.

    What is queued, running or held stays, and so do the newest deploys.
    """
    before = timezone.now() - timedelta(days=days)
    kept = list(Deploy.objects.order_by("-pk").values_list("pk", flat=True)[:DEPLOYS_KEPT])
    unfinished = [Deploy.Status.QUEUED, Deploy.Status.RUNNING]
    deploys = Deploy.objects.filter(queued_at__lt=before).exclude(status__in=unfinished)
    deliveries = Delivery.objects.filter(last_received_at__lt=before)
    deliveries = deliveries.exclude(outcome=Delivery.Outcome.HELD)
    return {
        "deploys": delete(deploys.exclude(pk__in=kept)),
        # After the deploys: a delivery stays as long as a deploy of it is there.
        "deliveries": delete(deliveries.filter(deploys=None)),
        "tasks": delete(Task.objects.filter(stopped__lt=before)),
    }


def delete(rows: QuerySet[Any, Any]) -> int:
    """Delete in batches; return how many rows of this model there were."""
    model: type[Model] = rows.model
    deleted = 0
    while batch := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        model._default_manager.filter(pk__in=batch).delete()
        deleted += len(batch)
    return deleted
