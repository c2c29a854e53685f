"""Asks the remotes now and then whether they are ahead: a webhook that was lost heals itself."""

from __future__ import annotations

import logging
import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import django.db
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from deployhooks import process, queue
from deployhooks.checkout import Checkout, CheckoutError
from deployhooks.checkout.git import Git
from deployhooks.checkout.reading import has_commit
from deployhooks.models import Delivery, Deploy, RemoteState
from deployhooks.pushes import is_push_to, read_push
from deployhooks.redaction import configured_redactor
from deployhooks.repositories import Source
from deployhooks.sources import source_of, source_of_site
from deployhooks.verdicts import find_refusal

logger = logging.getLogger(__name__)

TIMEOUT = 30.0  # seconds for each remote to answer
FIRST_PAUSE = 5.0  # seconds from the start of the process to the first question
SITE = ""  # the site's own path, beside those of its submodules


@dataclass(frozen=True)
class Remotes:
    """Commits by path: what is checked out, and the tips of the branches that are followed."""

    live: dict[str, str | None]
    tips: dict[str, str]
    ahead: list[str] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)


class Drift:
    """A thread that asks every DEPLOY_DRIFT_INTERVAL seconds; 0 switches it off."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._go_on, name="drift", daemon=True)
        self.groups: set[int] = set()
        self.seen: tuple[dict[str, str], float] = ({}, 0.0)

    def __enter__(self) -> Self:
        if settings.DEPLOY_DRIFT_INTERVAL > 0:
            self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stopped.set()
        for group in list(self.groups):
            process.kill_group(group)
        if self.thread.is_alive():
            self.thread.join(timeout=5)

    def _go_on(self) -> None:
        pause = min(FIRST_PAUSE, settings.DEPLOY_DRIFT_INTERVAL)
        while not self.stopped.wait(pause):
            try:
                pause = self.look()
            except django.db.Error as error:
                logger.warning("the remotes' state could not be stored: %s", error)
                pause = settings.DEPLOY_DRIFT_INTERVAL
            finally:
                connection.close()

    def look(self) -> float:
        """Ask once and deploy what is ahead for longer than the grace; return the next pause."""
        try:
            found = self.ask()
        except (CheckoutError, process.ProcessFailed, OSError) as error:
            self.seen = ({}, 0.0)
            if not self.stopped.is_set():
                store(asked_at=timezone.now(), error=configured_redactor().clean(str(error)))
                logger.warning("the remotes could not be asked: %s", error)
            return float(settings.DEPLOY_DRIFT_INTERVAL)
        why_not = find_reason_against(found)
        grace = 0.0 if why_not else self._grace_left(found)
        note = why_not or (describe(found) if grace else deploy(found))
        record(found, note)
        interval = float(settings.DEPLOY_DRIFT_INTERVAL)
        return min(grace, interval) if grace else interval

    def ask(self) -> Remotes:
        """Raises CheckoutError or ProcessFailed when a remote does not say."""
        checkout = Checkout(
            settings.DEPLOY_CHECKOUT, settings.DEPLOY_REMOTE, settings.DEPLOY_BRANCH
        )
        submodules = checkout.submodules()
        sources = {SITE: source_of_site(checkout)}
        tips = {SITE: self._ask_tip(checkout, checkout.remote, checkout.branch_name())}
        for one in submodules:
            if one.branch:
                sources[one.path] = source_of(checkout, one)
                tips[one.path] = self._ask_tip(checkout, one.url, one.branch)
        version = checkout.version()
        live: dict[str, str | None] = {path: version.submodules.get(path) for path in tips}
        live[SITE] = version.commit
        places = {SITE: checkout.git_dir} | {one.path: one.git_dir for one in submodules}
        ahead = [
            path
            for path, tip in tips.items()
            if not is_within(checkout, places[path], tip, live[path])
        ]
        return Remotes(live, tips, ahead, sources)

    def _ask_tip(self, checkout: Checkout, remote: str, branch: str) -> str:
        ref = f"refs/heads/{branch}"
        answer = process.run(
            ["git", "ls-remote", "--exit-code", "--", remote, ref],
            cwd=checkout.path,
            env=checkout.env,
            timeout=TIMEOUT,
            on_start=self.groups.add,
            on_end=self.groups.discard,
        )
        # git also names refs that end alike, refs/heads/x/refs/heads/main say.
        found = re.search(rf"^([0-9a-f]{{40}})\t{re.escape(ref)}$", answer.output, re.MULTILINE)
        if not found:
            raise CheckoutError(f"{remote} gave no answer about {branch}: {answer.output[:200]}")
        return found[1]

    def _grace_left(self, found: Remotes) -> float:
        """Seconds that a delivery may still take to come; they begin anew with each new tip."""
        now = time.monotonic()
        if self.seen[0] != found.tips:
            self.seen = (found.tips, now)
        return max(self.seen[1] + float(settings.DEPLOY_DRIFT_GRACE) - now, 0.0)


def find_reason_against(found: Remotes) -> str:
    """Why nothing is to be deployed without a delivery, in words; empty when it is."""
    if not found.ahead:
        return "Everything that the remotes have is live."
    if queue.is_frozen():
        return f"{describe(found)} Deploys are frozen."
    here = Deploy.objects.here()
    if here.queued().exists() or here.running().exists():
        return f"{describe(found)} A deploy is on its way."
    refusal = find_refusal(found.tips[SITE]) if SITE in found.ahead else None
    if refusal and found.ahead == [SITE]:
        return f"{describe(found)} {refusal} went there and is failed; push or re-run it."
    # Beside a site that was refused, submodules go on: it stays at what is live.
    goal = (found.live[SITE] if refusal else None) or found.tips[SITE]
    if earlier := find_deploy_of(found, goal):
        return f"{describe(found)} {earlier} went there and is {earlier.status}; push or re-run it."
    state = RemoteState.objects.filter(host=settings.DEPLOY_HOST).first()
    if state and state.tried == found.tips:
        return f"{describe(found)} It was tried without success: push again or re-run the deploy."
    if not refusal and has_been_decided(found):
        return f"{describe(found)} Its delivery came, and tells what became of it."
    return ""


def find_deploy_of(found: Remotes, goal: str) -> Deploy | None:
    """The newest deploy that went there: it failed, or was rolled back since.

    `goal` is the site's commit, the submodules' are their tips.
    """
    for deploy in Deploy.objects.here().filter(to_commit=goal).order_by("-pk")[:50]:
        commits = {path: move["to"] for path, move in deploy.submodules.items()}
        if all(commits.get(path) == tip for path, tip in found.tips.items() if path != SITE):
            return deploy
    return None


def has_been_decided(found: Remotes) -> bool:
    """Whether a delivery announced each tip, and it was not one whose deploy came too early."""
    for path in found.ahead:
        came = find_deliveries(found.tips[path], found.sources[path])
        if not came:
            return False
        newest = Deploy.objects.filter(deliveries__in=came).order_by("-pk").first()
        if newest and newest.status == Deploy.Status.SUCCEEDED:
            return False  # the remote had not shown the tip yet, though it had announced it
    return True


def find_deliveries(tip: str, source: Source) -> list[Delivery]:
    """The deliveries that told of this tip of this very branch, and were not ignored by mistake.

    The same commit may also be announced for another branch, a tag or another repository; and a
    push may have come before its branch was followed. One with a skip marker is meant.
    """
    found = []
    for delivery in Delivery.objects.filter(event="push", after=tip).defer("headers"):
        payload = read_push(delivery)
        if payload is None or not is_push_to(payload, source):
            continue
        if delivery.outcome != Delivery.Outcome.IGNORED or payload.skip_marker:
            found.append(delivery)
    return found


def is_within(checkout: Checkout, git_dir: Path, tip: str, live: str | None) -> bool:
    """Whether what is checked out is the remote's tip or has it in its history."""
    if tip == live or live is None or not has_commit(git_dir, tip):
        return tip == live
    git = Git(checkout.run, checkout.env, git_dir, is_bare=True)
    try:
        git.ask("merge-base", "--is-ancestor", tip, live)
    except process.ProcessFailed:
        return False
    return True


@transaction.atomic
def deploy(found: Remotes) -> str:
    """Ask for a deploy of what is ahead, and remember that these tips were tried."""
    asked = queue.request_deploy(Deploy.Trigger.DRIFT, requested_by="watch_deploys")
    store(tried=found.tips)
    note = f"{describe(found)} No delivery came for it, deploy {asked.pk} brings it live."
    logger.warning("%s", note)
    return note


def describe(found: Remotes) -> str:
    parts = [f"{path or 'the branch'} is at {found.tips[path][:7]}" for path in found.ahead]
    return f"The remote is ahead: {', '.join(parts)}."


def record(found: Remotes, note: str) -> None:
    store(
        asked_at=timezone.now(),
        live_commit=found.live[SITE],
        remote_commit=found.tips[SITE],
        submodules={
            path: {"live": found.live[path], "remote": tip}
            for path, tip in found.tips.items()
            if path != SITE
        },
        note=note,
        error="",
    )


def store(**values: object) -> None:
    RemoteState.objects.update_or_create(host=settings.DEPLOY_HOST, defaults=values)
