"""Rows for the tests of what shows them."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from deployhooks.models import Delivery, Deploy, Refusal, Step

OLD, NEW = "a" * 40, "b" * 40


def make_delivery(**overrides):
    number = Delivery.objects.count() + 1
    values = {
        "hook_id": "42",
        "guid": f"72d3162e-cc78-11e3-81ab-{number:012x}",
        "event": "push",
        "repository": "ada/blog",
        "ref": "refs/heads/main",
        "before": OLD,
        "after": NEW,
        "pusher": "ada",
        "head_message": "Add a post",
        "payload": '{"ref": "refs/heads/main"}',
        "headers": {"X-GitHub-Event": "push"},
        "reason": "Push to main.",
    }
    return Delivery.objects.create(**(values | overrides))


def make_deploy(deliveries=(), **overrides):
    now = timezone.now()
    values = {
        "status": "succeeded",
        "trigger": "push",
        "host": settings.DEPLOY_HOST,
        "from_commit": OLD,
        "to_commit": NEW,
        "queued_at": now - timedelta(seconds=90),
        "started_at": now - timedelta(seconds=80),
        "finished_at": now - timedelta(seconds=68),
        "attempt": 1,
    }
    if overrides.get("status") in ("queued", "running"):
        values["finished_at"] = None
    if overrides.get("status") == "queued":
        values |= {"started_at": None, "attempt": 0, "from_commit": "", "to_commit": ""}
    deploy = Deploy.objects.create(**(values | overrides))
    deploy.deliveries.add(*deliveries)
    return deploy


def make_step(deploy, name="fetch", **overrides):
    now = timezone.now()
    values = {
        "attempt": max(deploy.attempt, 1),
        "position": deploy.steps.count() + 1,
        "status": "succeeded",
        "started_at": now - timedelta(seconds=2),
        "finished_at": None if overrides.get("status") == "running" else now,
    }
    return Step.objects.create(deploy=deploy, name=name, **(values | overrides))


def make_refusal(**overrides):
    values = {
        "status": 403,
        "reason": "The signature matches none of the secrets.",
        "remote_address": "198.51.100.7",
        "headers": {"User-Agent": "curl/8.5.0"},
    }
    return Refusal.objects.create(**(values | overrides))


def make_staff(*permissions, **overrides):
    """A member of staff with these permissions; "view" stands for those to see everything here."""
    user = User.objects.create_user(**({"username": "eve", "is_staff": True} | overrides))
    codenames = [name for name in permissions if name != "view"]
    if "view" in permissions:
        codenames += ["view_delivery", "view_deploy", "view_refusal"]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user
