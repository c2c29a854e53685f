"""What GitHub sent and what was answered; who was turned away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from deployhooks.models.deploys import Deploy


class Delivery(models.Model):
    """One webhook event of one hook; GitHub repeats both numbers when it redelivers."""

    class Outcome(models.TextChoices):
        QUEUED = "queued"
        HELD = "held"
        DUPLICATE = "duplicate"
        PONG = "pong"
        IGNORED = "ignored"
        REFUSED = "refused"

    hook_id = models.CharField(max_length=100, blank=True)
    guid = models.CharField("GUID", max_length=100)
    event = models.CharField(max_length=100)
    action = models.CharField(max_length=100, blank=True)
    repository = models.CharField(max_length=255, blank=True)
    ref = models.CharField(max_length=255, blank=True)
    before = models.CharField(max_length=40, blank=True)
    after = models.CharField(max_length=40, blank=True)
    pusher = models.CharField(max_length=255, blank=True)
    head_message = models.TextField("head commit message", blank=True)
    headers = models.JSONField(default=dict)
    # JSON text with everything outside ASCII escaped: NUL and lone surrogates are data here, and
    # PostgreSQL's jsonb takes neither.
    payload = models.TextField(blank=True)
    remote_address = models.GenericIPAddressField(null=True, blank=True)
    signature_algorithm = models.CharField(max_length=10, blank=True)
    secret_number = models.PositiveSmallIntegerField(
        help_text="Which of the secrets matched, counted from 1, newest first.", default=1
    )
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.QUEUED)
    reason = models.TextField(blank=True)
    times_received = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField(default=timezone.now)
    last_received_at = models.DateTimeField(default=timezone.now)
    answer_status = models.PositiveSmallIntegerField(default=202)
    answer = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["hook_id", "guid"], name="delivery_once_per_hook"),
        ]
        indexes = [
            models.Index(fields=["outcome", "-id"], name="delivery_outcome"),
            models.Index(fields=["event", "-id"], name="delivery_event"),
            models.Index(fields=["received_at"], name="delivery_received_at"),
            models.Index(fields=["guid"], name="delivery_guid"),
            models.Index(fields=["after"], name="delivery_after"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.guid}"

    def newest_deploy(self) -> Deploy | None:
        """Return the deploy that serves this delivery now, None when there is none."""
        return self.deploys.order_by("-id").first()


class Refusal(models.Model):
    """A request that was turned away; without its body, and only the newest are kept."""

    KEPT = 200

    received_at = models.DateTimeField(default=timezone.now)
    status = models.PositiveSmallIntegerField()
    reason = models.TextField()
    remote_address = models.GenericIPAddressField(null=True, blank=True)
    headers = models.JSONField(default=dict)
    unrecorded = models.PositiveIntegerField(
        "more like it",
        default=0,
        help_text="Refusals just before this one that were counted but not kept, in a flood.",
    )

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.status} {self.reason}"
