"""How the admin shows statuses, commits and times, in its lists as on its pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.template import Context
from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from deployhooks import wording
from deployhooks.models import Deploy, Step
from deployhooks.overview import find_broken, look_over
from deployhooks.queue import is_frozen

register = template.Library()

# A sign beside the colour, for those who do not see the colour.
SIGNS = {
    "succeeded": "✓",
    "failed": "✕",
    "cancelled": "⊘",
    "running": "●",
    "queued": "○",
    "skipped": "–",
}


@register.filter
def badge(status: str) -> SafeString:
    return format_html(
        '<span class="dh-badge dh-{}"><span aria-hidden="true">{}</span> {}</span>',
        status,
        SIGNS.get(status, "·"),
        _(status),
    )


@register.filter
def outcome(value: str) -> SafeString:
    """What was answered to a delivery: past and done, so quieter than a deploy's status."""
    tone = value if value in ("held", "refused") else "calm"
    return format_html('<span class="dh-badge dh-{}">{}</span>', tone, _(value))


@register.filter
def sign(status: str) -> str:
    return SIGNS.get(status, "·")


@register.filter
def commit(value: str | None) -> SafeString:
    if not value:
        return format_html('<span class="dh-quiet">{}</span>', "–")
    return format_html('<code title="{}">{}</code>', value, wording.shorten(value))


@register.filter
def ago(when: datetime | None) -> SafeString | str:
    """How long ago, with the time itself on hovering."""
    if when is None:
        return "–"
    local = timezone.localtime(when)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(),
        format_date(local, "Y-m-d H:i:s T"),
        wording.say_ago(when),
    )


@register.filter
def took(row: Deploy | Step) -> str:
    seconds = wording.measure(row)
    return "–" if seconds is None else wording.say_duration(seconds)


@register.filter
def plain(text: str) -> str:
    return wording.clean_controls(text)


@register.filter
def first_line(text: str) -> str:
    return wording.first_line(text)


@register.filter
def branch(ref: str) -> str:
    return ref.removeprefix("refs/heads/").removeprefix("refs/")


@register.inclusion_tag("admin/deployhooks/overview.html", takes_context=True)
def overview(context: Context) -> dict[str, Any]:
    """The panel that says what is live, whether the queue works, what GitHub sent last.

    Empty for those who may not see deploys.
    """
    request = context["request"]
    if not request.user.has_perm("deployhooks.view_deploy"):
        return {}
    return {
        "overview": look_over(),
        "may_deploy": request.user.has_perm("deployhooks.change_deploy"),
        "may_see_deliveries": request.user.has_perm("deployhooks.view_delivery"),
        "may_see_refusals": request.user.has_perm("deployhooks.view_refusal"),
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("admin/deployhooks/frozen.html", takes_context=True)
def frozen_banner(context: Context) -> dict[str, Any]:
    """What everybody should know: deploys are frozen, or putting back failed."""
    user = context["request"].user
    return {
        "frozen": is_frozen(),
        "broken": find_broken(),
        "may_thaw": user.has_perm("deployhooks.change_deploy"),
        "csrf_token": context.get("csrf_token"),
    }
