"""Says in whole sentences where a deploy stands, why it waits, and what is live after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from deployhooks.models import Deploy, Step
from deployhooks.wording import shorten

# How long the queue may take before we say that it seems not to work at all: its polls take a
# fraction of a second, a restart a few.
QUEUE_PATIENCE = timedelta(seconds=10)
# A worker writes its heartbeat every few seconds.
HEARTBEAT_PATIENCE = timedelta(seconds=60)
# These leave the live tree as it is; whatever comes after them may have changed it.
PREPARING_STEPS = frozenset({"fetch", "preflight", "migrate", "collectstatic"})


@dataclass(frozen=True)
class Explanation:
    headline: str
    lines: list[str] = field(default_factory=list)
    is_alarming: bool = False


def explain(deploy: Deploy, steps: Sequence[Step]) -> Explanation:
    """What happened, what is live, what to do; `steps` are the deploy's, in order."""
    match deploy.status:
        case Deploy.Status.QUEUED:
            return Explanation(explain_wait(deploy), is_alarming=bool(find_trouble(deploy)))
        case Deploy.Status.RUNNING:
            return _explain_run(deploy, steps)
        case Deploy.Status.SUCCEEDED:
            return _explain_success(deploy)
        case Deploy.Status.CANCELLED:
            return _explain_end(deploy, steps, deploy.error or _("Cancelled."))
    return _explain_end(deploy, steps, deploy.error or _("It failed and left no reason."))


def find_trouble(deploy: Deploy) -> str:
    """What keeps a deploy from going on that people should look into; empty when nothing does."""
    now = timezone.now()
    if deploy.status == Deploy.Status.RUNNING and deploy.heartbeat_at:
        if now - deploy.heartbeat_at > HEARTBEAT_PATIENCE:
            return _(
                "The worker of deploy {} has given no sign of life since {}: `manage.py "
                "watch_deploys`, which `script/server` starts, will return it to the queue."
            ).format(deploy.pk, date_format(timezone.localtime(deploy.heartbeat_at), "H:i:s"))
        return ""
    if deploy.status != Deploy.Status.QUEUED or now - due_at(deploy) < QUEUE_PATIENCE:
        return ""
    if Deploy.objects.running().filter(host=deploy.host).exists():
        return ""
    return _(
        "The queue has not taken deploy {}: is `manage.py qcluster` running on {}? "
        "`script/server` starts it, and `manage.py doctor` says what it lacks."
    ).format(deploy.pk, deploy.host)


def explain_wait(deploy: Deploy) -> str:
    """Why a queued deploy has not begun. The sentence stays the same while the reason does."""
    running = Deploy.objects.running().filter(host=deploy.host).only("pk").first()
    if running:
        return _("Waits for the end of deploy {}, which runs now.").format(running.pk)
    if deploy.not_before and deploy.not_before > timezone.now():
        at = date_format(timezone.localtime(deploy.not_before), "H:i:s")
        return _("Attempt {} did not come to an end; the next one begins at {}.").format(
            deploy.attempt, at
        )
    return find_trouble(deploy) or _("Waits for the queue to take it.")


def due_at(deploy: Deploy) -> datetime:
    return deploy.not_before or deploy.queued_at


def _explain_run(deploy: Deploy, steps: Sequence[Step]) -> Explanation:
    current = [step.name for step in steps if step.status == Step.Status.RUNNING]
    headline = _("Runs the step {}.").format(current[-1]) if current else _("Runs.")
    trouble = find_trouble(deploy)
    lines = [trouble] if trouble else []
    if deploy.cancel_requested_at:
        lines.append(_("{} asked to cancel it.").format(deploy.cancel_requested_by or _("Someone")))
    return Explanation(headline, lines, is_alarming=bool(trouble))


def _explain_success(deploy: Deploy) -> Explanation:
    commit = shorten(deploy.to_commit) or _("The version checked out")
    # A host's deploys run one after the other, in the order of their numbers.
    later = (
        Deploy.objects.filter(host=deploy.host, status=Deploy.Status.SUCCEEDED, pk__gt=deploy.pk)
        .order_by("pk")
        .only("pk")
        .first()
    )
    if later:
        return Explanation(_("{} went live, until deploy {}.").format(commit, later.pk))
    return Explanation(_("{} is live.").format(commit))


def _explain_end(deploy: Deploy, steps: Sequence[Step], headline: str) -> Explanation:
    before = shorten(deploy.from_commit) or _("the version before it")
    failed = [step.name for step in steps if step.status == Step.Status.FAILED]
    if "put_back" in failed:
        warning = _(
            "Putting back the version before it failed as well: what is live is not certain. "
            "Look at the server now."
        )
        return Explanation(headline, [warning], is_alarming=True)
    if deploy.restored:
        return Explanation(headline, [_("Put back: {} went on serving.").format(before)])
    if not has_left_mess(deploy, steps):
        return Explanation(headline, [_("Nothing was changed: {} went on serving.").format(before)])
    warning = _(
        "It stopped after the checkout began to change and nothing was put back: "
        "files and workers may be of different versions until a deploy succeeds."
    )
    return Explanation(headline, [warning], is_alarming=True)


def has_left_mess(deploy: Deploy, steps: Sequence[Step]) -> bool:
    """Whether it ended after the live tree began to change, and was not put back."""
    if deploy.restored or deploy.status not in (Deploy.Status.FAILED, Deploy.Status.CANCELLED):
        return False
    if any(step.name == "put_back" for step in steps):
        return any(s.name == "put_back" and s.status != Step.Status.SUCCEEDED for s in steps)
    return any(
        step.status != Step.Status.SKIPPED and step.name not in PREPARING_STEPS for step in steps
    )
