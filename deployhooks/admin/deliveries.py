"""Deliveries in the admin: what GitHub sent, what was answered, which deploy came of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Left, Length, Substr
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from deployhooks.admin.readonly import (
    ReadOnlyAdmin,
    begins_with,
    is_part_of_commit,
    is_part_of_guid,
)
from deployhooks.models import Delivery, Deploy
from deployhooks.templatetags.deployhooks_admin import (
    ago,
    badge,
    branch,
    commit,
    first_line,
    outcome,
)

# Characters of a payload that its page shows; the rest can be downloaded.
PAYLOAD_SHOWN = 100_000
DEPLOYS_SHOWN = 50
# Of a commit message, which nobody keeps from being a megabyte long.
MESSAGE_SHOWN = 120


class OutcomeFilter(admin.SimpleListFilter):
    """What a stored delivery can have: a duplicate only counts up, a refused one has no row."""

    title = _("outcome")
    parameter_name = "outcome"
    stored = (
        Delivery.Outcome.QUEUED,
        Delivery.Outcome.HELD,
        Delivery.Outcome.PONG,
        Delivery.Outcome.IGNORED,
    )

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(outcome.value, gettext(outcome.value)) for outcome in self.stored]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(outcome=self.value()) if self.value() in self.stored else queryset


class EventFilter(admin.SimpleListFilter):
    """A fixed choice: asking the table which events it has would read all of it."""

    title = _("event")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("push", "push"), ("ping", "ping"), ("other", _("other events"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "push" | "ping":
                return queryset.filter(event=self.value())
            case "other":
                return queryset.exclude(event__in=["push", "ping"])
        return queryset


class DeliveryAdmin(ReadOnlyAdmin):
    page_template = "admin/deployhooks/delivery/page.html"
    list_display = ("received", "outcome_badge", "what", "commit_pushed", "deploy", "why")
    list_filter = (OutcomeFilter, EventFilter, "received_at")
    list_defer = ("payload", "headers", "answer", "head_message")
    search_fields = (
        "guid",
        "hook_id",
        "event",
        "repository",
        "ref",
        "after",
        "pusher",
        "head_message",
        "reason",
    )
    search_help_text = _("A GUID, a commit, or words: branch, repository, pusher, message, reason.")

    def get_urls(self) -> list[URLPattern]:
        download = path(
            "<int:delivery_id>/payload/",
            self.admin_site.admin_view(self.payload_view),
            name="deployhooks_delivery_payload",
        )
        return [download, *super().get_urls()]

    def get_list_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        served_by = (
            Deploy.deliveries.through.objects.filter(delivery=OuterRef("pk"))
            .order_by("-deploy_id")
            .values("deploy_id", "deploy__status")
        )
        rows: QuerySet[Any] = (
            super()
            .get_list_queryset(queryset)
            .annotate(
                message=Left("head_message", MESSAGE_SHOWN),
                deploy_id=Subquery(served_by.values("deploy_id")[:1]),
                deploy_status=Subquery(served_by.values("deploy__status")[:1]),
            )
        )
        return rows

    def look_up(self, term: str) -> Iterable[Q]:
        yield Q(guid=term)
        if is_part_of_guid(term):
            yield begins_with("guid", term)
        if is_part_of_commit(term):
            yield begins_with("after", term)

    @admin.display(description=_("received"))
    def received(self, delivery: Delivery) -> SafeString:
        """With the GUID, by which GitHub lists its deliveries."""
        return format_html(
            '{} <code class="dh-cut dh-guid" title="{}">{}</code>',
            ago(delivery.received_at),
            delivery.guid,
            delivery.guid,
        )

    @admin.display(description=_("outcome"))
    def outcome_badge(self, delivery: Delivery) -> SafeString:
        shown = outcome(delivery.outcome)
        if delivery.times_received < 2:
            return shown
        times = _("received {} times").format(delivery.times_received)
        return format_html('{} <span class="dh-quiet dh-nowrap">{}</span>', shown, times)

    @admin.display(description=_("what"))
    def what(self, delivery: Delivery) -> SafeString:
        parts = [
            ("dh-strong", " ".join(filter(None, [delivery.event, delivery.action]))),
            ("dh-ref", branch(delivery.ref)),
            ("dh-quiet", delivery.repository),
        ]
        return format_html_join(" ", '<span class="{}">{}</span>', [p for p in parts if p[1]])

    @admin.display(description=_("commit"))
    def commit_pushed(self, delivery: Any) -> SafeString:
        return format_html(
            '{} <span class="dh-quiet">{}</span> <span class="dh-cut">{}</span>',
            commit(delivery.after),
            delivery.pusher,
            first_line(delivery.message),
        )

    @admin.display(description=_("deploy"))
    def deploy(self, delivery: Any) -> SafeString | str:
        if delivery.deploy_id is None:
            return "–"
        url = reverse("admin:deployhooks_deploy_change", args=[delivery.deploy_id])
        return format_html(
            '<a class="dh-nowrap" href="{}">{}</a> {}',
            url,
            f"#{delivery.deploy_id}",
            badge(delivery.deploy_status),
        )

    @admin.display(description=_("reason"))
    def why(self, delivery: Delivery) -> str:
        return first_line(delivery.reason)[:200]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Payloads have up to 25 MiB: nothing loads one whole but its download."""
        return super().get_queryset(request).defer("payload")

    def get_page_context(self, request: HttpRequest, row: Delivery) -> dict[str, Any]:
        payload, size = read_payload(row)
        deploys = row.deploys.order_by("-id").defer("submodules", "process_groups")
        return {
            "delivery": row,
            "deploys": deploys[:DEPLOYS_SHOWN],
            "headers": sorted(row.headers.items()),
            "answer": json.dumps(row.answer, indent=2) if row.answer else "",
            "payload": payload,
            "payload_size": size,
            "is_payload_cut": size > PAYLOAD_SHOWN,
        }

    def payload_view(self, request: HttpRequest, delivery_id: int) -> HttpResponse:
        """The whole payload as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = Delivery.objects.filter(pk=delivery_id).values("guid", "payload").first()
        if row is None:
            raise Http404
        headers = {"Content-Disposition": f'attachment; filename="delivery-{delivery_id}.json"'}
        return HttpResponse(row["payload"], content_type="application/json", headers=headers)


def read_payload(delivery: Delivery) -> tuple[str, int]:
    """Return what the page shows of a payload, indented when it is whole, and its length."""
    row = Delivery.objects.filter(pk=delivery.pk).values_list(
        Substr("payload", 1, PAYLOAD_SHOWN), Length("payload")
    )
    text, size = row.get()
    if size > PAYLOAD_SHOWN:
        return text, size
    try:
        indented = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text, size
    # A payload may hold half a surrogate pair, which no page can be encoded with.
    return indented.encode(errors="backslashreplace").decode(), size
