"""What was done about a push, step by step; what holds it up, and what the remotes have."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from deployhooks.models.deliveries import Delivery
from deployhooks.redaction import configured_redactor

# Between two attempts of a deploy.
LONGEST_PAUSE = timedelta(minutes=5)


class Freeze(models.Model):
    """While a host has this row, pushes are held and nothing is deployed by itself."""

    host = models.CharField(max_length=255, unique=True)
    reason = models.TextField(blank=True)
    frozen_by = models.CharField(max_length=150, blank=True)
    frozen_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.host}: {self.reason}"


class DeployQuerySet(models.QuerySet["Deploy"]):
    def here(self) -> DeployQuerySet:
        """Only the deploys of this host."""
        return self.filter(host=settings.DEPLOY_HOST)

    def queued(self) -> DeployQuerySet:
        return self.filter(status=Deploy.Status.QUEUED)

    def running(self) -> DeployQuerySet:
        return self.filter(status=Deploy.Status.RUNNING)

    def ended(self) -> DeployQuerySet:
        return self.exclude(status__in=[Deploy.Status.QUEUED, Deploy.Status.RUNNING])

    def claim(self, deploy_id: int, **lease: Any) -> bool:
        """Make a queued deploy a running one; False when somebody was first or its pause lasts.

        Raises IntegrityError when another deploy runs on its host.
        """
        now = timezone.now()
        # A pause that is longer than any comes from a clock that was set back meanwhile.
        ripe = Q(not_before=None) | Q(not_before__lte=now) | Q(not_before__gt=now + LONGEST_PAUSE)
        claimed = self.filter(ripe, pk=deploy_id, status=Deploy.Status.QUEUED).update(
            status=Deploy.Status.RUNNING, started_at=now, heartbeat_at=now, **lease
        )
        return claimed == 1


class RemoteState(models.Model):
    """What the remotes of this host's checkout have, as they said when they were last asked."""

    host = models.CharField(max_length=255, unique=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    live_commit = models.CharField(max_length=40, blank=True)
    remote_commit = models.CharField(max_length=40, blank=True)
    submodules = models.JSONField(
        default=dict, help_text='{path: {"live": commit or null, "remote": commit}}'
    )
    note = models.TextField(blank=True, help_text="What follows from it, in words.")
    error = models.TextField(blank=True, help_text="Why the remotes could not be asked.")
    tried = models.JSONField(
        default=dict, help_text="{path: commit} that were deployed without a delivery last."
    )

    def __str__(self) -> str:
        return f"{self.host}: {self.live_commit[:7]}, remote {self.remote_commit[:7]}"


class Deploy(models.Model):
    """One run of the steps that bring this host to what was pushed."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Trigger(models.TextChoices):
        PUSH = "push"
        RERUN = "rerun"
        ROLLBACK = "rollback"
        MANUAL = "manual"
        DRIFT = "drift"

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    host = models.CharField(max_length=255)
    deliveries = models.ManyToManyField(Delivery, related_name="deploys", blank=True)
    rerun_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="reruns"
    )
    rollback_to = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="rollbacks"
    )
    requested_by = models.CharField(max_length=150, blank=True)
    from_commit = models.CharField(max_length=40, blank=True)
    to_commit = models.CharField(max_length=40, blank=True)
    submodules = models.JSONField(
        default=dict, help_text='{path: {"from": commit or null, "to": commit}}'
    )
    queued_at = models.DateTimeField(default=timezone.now)
    not_before = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    restored = models.BooleanField(default=False)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_by = models.CharField(max_length=150, blank=True)

    # The lease of the process that runs it.
    attempt = models.PositiveSmallIntegerField(default=0)
    # A default of the database: code of the version before inserts rows meanwhile.
    stops = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="How many attempts were ended by an orderly stop of the server.",
    )
    worker = models.CharField(max_length=255, blank=True)
    boot_id = models.CharField(max_length=64, blank=True)
    pid = models.PositiveIntegerField(null=True, blank=True)
    pid_started_at = models.FloatField(
        null=True, blank=True, help_text="Seconds since the machine's boot."
    )
    process_groups = models.JSONField(default=list, help_text="[[pgid, started_at], ...]")
    heartbeat_at = models.DateTimeField(null=True, blank=True)

    objects = DeployQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["host"], condition=Q(status="queued"), name="one_queued_deploy_per_host"
            ),
            models.UniqueConstraint(
                fields=["host"], condition=Q(status="running"), name="one_running_deploy_per_host"
            ),
        ]
        indexes = [
            models.Index(fields=["status", "-id"], name="deploy_status"),
            models.Index(fields=["queued_at"], name="deploy_queued_at"),
            models.Index(fields=["trigger", "-id"], name="deploy_trigger"),
            models.Index(fields=["from_commit"], name="deploy_from_commit"),
            models.Index(fields=["to_commit"], name="deploy_to_commit"),
        ]

    def __str__(self) -> str:
        return f"Deploy {self.pk}"

    @property
    def is_final(self) -> bool:
        return self.status not in (self.Status.QUEUED, self.Status.RUNNING)

    def succeed(self) -> bool:
        """running -> succeeded; False when it was no longer running, or is to be cancelled.

        From then on a cancel is refused: of the two the first one holds, never both.
        """
        return self._close(self.Status.SUCCEEDED, "", cancel_requested_at=None)

    def fail(self, error: str) -> bool:
        """running -> failed; False when it was no longer running."""
        return self._close(self.Status.FAILED, error)

    @property
    def version(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """What it brought live: the site's commit and each submodule's."""
        moves = sorted((path, move["to"]) for path, move in self.submodules.items())
        return self.to_commit, tuple(moves)

    def call_off(self, reason: str) -> bool:
        """queued -> cancelled; False when it was no longer queued, or an attempt has begun it."""
        changed = Deploy.objects.filter(
            pk=self.pk, status=self.Status.QUEUED, from_commit=""
        ).update(status=self.Status.CANCELLED, error=reason, finished_at=timezone.now())
        self.refresh_from_db()
        return changed == 1

    def ask_to_cancel(self, by: str) -> bool:
        """Of one that runs, or waits half done: that is put back first. False when it is final."""
        now = timezone.now()
        open_ones = (self.Status.QUEUED, self.Status.RUNNING)
        asked = Deploy.objects.filter(pk=self.pk, status__in=open_ones).update(
            cancel_requested_at=now, cancel_requested_by=by, not_before=now
        )
        self.refresh_from_db()
        return asked == 1

    def begin_anew(self, trigger: str, rerun_of: Deploy | None, rollback_to: Deploy | None) -> None:
        """Of one that waits to be put back: do what is asked for now, with all its attempts.

        It still comes back to what was there before it began, when that fails.
        """
        self.trigger, self.rerun_of, self.rollback_to = trigger, rerun_of, rollback_to
        self.cancel_requested_at, self.cancel_requested_by = None, ""
        self.stops = self.attempt
        self.save()

    def cancel(self, note: str = "") -> bool:
        """running -> cancelled; False when it was no longer running."""
        self.refresh_from_db(fields=["cancel_requested_by"])
        who = self.cancel_requested_by or "somebody"
        return self._close(self.Status.CANCELLED, f"Cancelled by {who}.{note}")

    @property
    def deaths(self) -> int:
        """How many attempts have ended with their process, this one's counted as well."""
        return self.attempt - self.stops

    def return_to_queue(self, pause: timedelta, *, is_stop: bool = False) -> None:
        """running -> queued: its process died or was stopped; it begins anew after the pause."""
        now = timezone.now()
        Deploy.objects.filter(pk=self.pk, status=self.Status.RUNNING, attempt=self.attempt).update(
            status=self.Status.QUEUED,
            queued_at=now,
            not_before=now + pause,
            process_groups=[],
            stops=F("stops") + int(is_stop),
        )

    def take_over(self, dead: Deploy) -> None:
        """When this one fails, come back to what a deploy that died had found."""
        if not self.from_commit:
            self.from_commit, self.submodules = dead.from_commit, dead.submodules
            self.save(update_fields=["from_commit", "submodules"])

    def _close(self, status: Deploy.Status, error: str, **still: Any) -> bool:
        changed = Deploy.objects.filter(
            pk=self.pk, status=self.Status.RUNNING, attempt=self.attempt, **still
        ).update(
            status=status,
            error=configured_redactor().clean(error),
            finished_at=timezone.now(),
            restored=self.restored,
            process_groups=[],
        )
        self.refresh_from_db()
        return changed == 1


class Step(models.Model):
    """One step of a deploy; the row is written before the effect and closed after it."""

    class Status(models.TextChoices):
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        SKIPPED = "skipped"

    deploy = models.ForeignKey(Deploy, on_delete=models.CASCADE, related_name="steps")
    attempt = models.PositiveSmallIntegerField(default=1)
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=50)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    detail = models.CharField(max_length=1000, blank=True)
    output = models.TextField(blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["attempt", "position"]
        constraints = [
            models.UniqueConstraint(fields=["deploy", "attempt", "position"], name="step_position"),
        ]

    def __str__(self) -> str:
        return self.name

    def close(self, status: Step.Status, detail: str) -> None:
        """running -> succeeded, failed or skipped, with one line that says what came of it."""
        self.status, self.detail = status, configured_redactor().clean(detail)[:1000]
        self.finished_at = timezone.now()
        self.save(update_fields=["status", "detail", "finished_at"])
