"""Refusals in the admin: why a request that should have deployed something did not."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from deployhooks.admin.readonly import ReadOnlyAdmin
from deployhooks.models import Refusal
from deployhooks.templatetags.deployhooks_admin import ago, first_line


class RefusalAdmin(ReadOnlyAdmin):
    page_template = "admin/deployhooks/refusal/page.html"
    list_display = ("received", "status_badge", "why", "sender")
    list_filter = ("status", "received_at")
    search_fields = ("reason", "remote_address", "headers")
    search_help_text = _("Words of the reason, an address, or a header's value.")

    @admin.display(description=_("received"))
    def received(self, refusal: Refusal) -> SafeString | str:
        return ago(refusal.received_at)

    @admin.display(description=_("answer"))
    def status_badge(self, refusal: Refusal) -> SafeString:
        return format_html('<span class="dh-badge dh-refused">{}</span>', refusal.status)

    @admin.display(description=_("reason"))
    def why(self, refusal: Refusal) -> SafeString | str:
        reason = first_line(refusal.reason)[:300]
        if not refusal.unrecorded:
            return reason
        more = _("and {} more like it").format(refusal.unrecorded)
        return format_html('{} <span class="dh-quiet dh-nowrap">{}</span>', reason, more)

    @admin.display(description=_("sent by"))
    def sender(self, refusal: Refusal) -> SafeString:
        """Address and User-Agent: GitHub's own tells a wrong secret from a stranger's probe."""
        agents = [value for name, value in refusal.headers.items() if name.lower() == "user-agent"]
        return format_html(
            '{} <span class="dh-quiet dh-cut">{}</span>',
            refusal.remote_address or "–",
            str(agents[0])[:100] if agents else "",
        )

    def get_page_context(self, request: HttpRequest, row: Refusal) -> dict[str, Any]:
        return {"refusal": row, "headers": sorted(row.headers.items())}
