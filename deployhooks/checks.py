"""Settings that cannot work are found when the process starts, each with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

ADMIN = "django.contrib.admin"


@register()
def check_deploy_steps(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for path in settings.DEPLOY_STEPS:
        try:
            import_string(path)
        except ImportError as error:
            found.append(
                Error(
                    f"The deploy step {path} cannot be imported: {error}",
                    hint="DEPLOY_STEPS holds dotted paths to functions `step(context) -> str`.",
                    id="deployhooks.E001",
                )
            )
    return found


@register()
def check_queue_timeouts(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    queue = settings.Q_CLUSTER
    timeout, retry = queue.get("timeout") or 0, queue.get("retry", 60)
    if timeout > settings.DEPLOY_TIMEOUT and retry > 3 * (timeout + 3):
        return []
    return [
        Error(
            f"The queue's timeout ({timeout}) and retry ({retry}) do not fit DEPLOY_TIMEOUT "
            f"({settings.DEPLOY_TIMEOUT}): a long deploy would be killed, or run twice at once.",
            hint="Q_CLUSTER needs timeout > DEPLOY_TIMEOUT and retry > 3 x (timeout + 3).",
            id="deployhooks.E002",
        )
    ]


@register()
def check_checkout(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEPLOY_CHECKOUT.is_dir():
        return []
    return [
        Error(
            f"DEPLOY_CHECKOUT, {settings.DEPLOY_CHECKOUT}, is no folder.",
            hint="Set it to the clone of the site's repository, or leave it out.",
            id="deployhooks.E003",
        )
    ]


@register()
def check_site_url(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    url = urlsplit(settings.SITE_URL)
    if url.scheme in ("http", "https") and url.hostname and not (url.query or url.fragment):
        return []
    return [
        Error(
            f"SITE_URL, {settings.SITE_URL!r}, is no address of a site.",
            hint="Set it to what visitors use, such as https://blog.example.org.",
            id="deployhooks.E004",
        )
    ]


@register()
def check_order_of_apps(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    names = [config.name for config in apps.get_app_configs()]
    if ADMIN not in names or names.index("deployhooks") < names.index(ADMIN):
        return []
    return [
        Error(
            f"deployhooks stands after {ADMIN} in INSTALLED_APPS: the admin's own front page would "
            "be shown instead of the one with the state of the site.",
            hint=f'Put "deployhooks" above "{ADMIN}".',
            id="deployhooks.E005",
        )
    ]
