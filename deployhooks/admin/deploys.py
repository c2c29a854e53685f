"""Deploys in the admin: how each went, step by step, and the buttons that ask for one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Left, Length, Right
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from deployhooks import control
from deployhooks.admin.controls import ControlAdmin, go_to, page_of
from deployhooks.admin.deliveries import MESSAGE_SHOWN
from deployhooks.admin.readonly import (
    begins_with,
    is_part_of_commit,
    is_part_of_guid,
)
from deployhooks.explanations import explain
from deployhooks.models import Delivery, Deploy, Step
from deployhooks.overview import find_live
from deployhooks.presentation import render_log
from deployhooks.queue import request_deploy, rerun
from deployhooks.templatetags.deployhooks_admin import ago, badge, commit, first_line, took

# Characters of each step's output that the page shows, from its end; the log has all.
OUTPUT_SHOWN = 64_000
DELIVERIES_SHOWN = 20
RERUNS_SHOWN = 20
RERUNS_AT_ONCE = 50


class DeployAdmin(ControlAdmin):
    page_template = "admin/deployhooks/deploy/page.html"
    list_display = ("number", "when", "status_badge", "commits", "what_happened")
    list_filter = ("status", "trigger", "restored", "queued_at")
    list_defer = ("submodules", "process_groups")
    search_fields = ("error", "requested_by", "host", "from_commit", "to_commit")
    search_help_text = _("A number, a commit, a delivery's GUID, or words: error, person, host.")
    actions = ("rerun_selected",)

    def get_urls(self) -> list[URLPattern]:
        views: list[tuple[str, Callable[..., HttpResponseBase], str]] = [
            ("now/", self.deploy_now_view, "now"),
            ("<int:deploy_id>/rerun/", self.rerun_view, "rerun"),
            ("<int:deploy_id>/cancel/", self.cancel_view, "cancel"),
            ("<int:deploy_id>/live/", self.live_view, "live"),
            ("<int:deploy_id>/log/", self.log_view, "log"),
        ]
        own = [
            path(route, self.admin_site.admin_view(view), name=f"deployhooks_deploy_{name}")
            for route, view, name in views
        ]
        return [*own, *self.get_control_urls(), *super().get_urls()]

    # --- The list ------------------------------------------------------------------------------

    def get_list_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        serves = Deploy.deliveries.through.objects.filter(deploy=OuterRef("pk"))
        counted = serves.order_by().values("deploy").annotate(Count("pk"))
        unfinished = Step.objects.filter(
            deploy=OuterRef("pk"), status__in=[Step.Status.RUNNING, Step.Status.FAILED]
        ).order_by("-attempt", "position")
        newest = serves.order_by("-delivery_id").values("delivery__head_message")[:1]
        lean: QuerySet[Deploy] = super().get_list_queryset(queryset)
        return lean.annotate(
            delivery_count=Coalesce(Subquery(counted.values("pk__count")), 0),
            message=Left(Subquery(newest), MESSAGE_SHOWN),
            unfinished_step=Subquery(unfinished.values("name")[:1]),
        )

    def look_up(self, term: str) -> Iterable[Q]:
        number = term.removeprefix("#")
        if number.isdecimal() and len(number) < 19:
            yield Q(pk=int(number))
        if is_part_of_commit(term):
            yield begins_with("to_commit", term)
            yield begins_with("from_commit", term)
        guid = begins_with("guid", term) if is_part_of_guid(term) else Q(guid=term)
        served_by = Deploy.deliveries.through.objects
        yield Q(
            pk__in=served_by.filter(delivery__in=Delivery.objects.filter(guid)).values("deploy")
        )

    @admin.display(description=_("deploy"))
    def number(self, deploy: Deploy) -> str:
        return f"#{deploy.pk}"

    @admin.display(description=_("status"))
    def status_badge(self, deploy: Deploy) -> SafeString:
        shown = badge(deploy.status)
        if not deploy.restored:
            return shown
        return format_html(
            '{} <span class="dh-badge dh-restored">↺ {}</span>', shown, _("put back")
        )

    @admin.display(description=_("commits"))
    def commits(self, deploy: Any) -> SafeString:
        arrow = format_html(
            '<span class="dh-nowrap">{} <span aria-hidden="true">→</span> {}</span>',
            commit(deploy.from_commit),
            commit(deploy.to_commit),
        )
        return format_html(
            '{} <span class="dh-cut">{}</span>', arrow, first_line(deploy.message or "")
        )

    @admin.display(description=_("what happened"))
    def what_happened(self, deploy: Any) -> SafeString:
        return format_html(
            '{} <span class="dh-quiet">{}</span>', _say_end(deploy), _say_cause(deploy)
        )

    @admin.display(description=_("queued, took"))
    def when(self, deploy: Deploy) -> SafeString:
        time = took(deploy) if deploy.started_at else ""
        return format_html('{} <span class="dh-quiet">{}</span>', ago(deploy.queued_at), time)

    @admin.action(description=_("Re-run selected deploys"), permissions=["deploy"])
    def rerun_selected(self, request: HttpRequest, queryset: QuerySet[Deploy]) -> None:
        chosen = list(queryset.order_by("pk")[: RERUNS_AT_ONCE + 1])
        if len(chosen) > RERUNS_AT_ONCE:
            self._warn(request, _("Select at most {} deploys.").format(RERUNS_AT_ONCE))
            return
        # In one transaction, so that the queue cannot begin with the first before the last joined.
        with transaction.atomic():
            for deploy in chosen:
                self._rerun(request, deploy)

    # --- The page ------------------------------------------------------------------------------

    def get_page_context(self, request: HttpRequest, row: Deploy) -> dict[str, Any]:
        deliveries = (
            row.deliveries.defer("payload", "headers", "answer", "head_message")
            .annotate(message=Left("head_message", MESSAGE_SHOWN))
            .order_by("-id")
        )
        may_deploy = self.has_deploy_permission(request)
        is_unhappy = row.status in (Deploy.Status.FAILED, Deploy.Status.CANCELLED)
        is_here = row.host == settings.DEPLOY_HOST
        is_good = row.status == Deploy.Status.SUCCEEDED
        return {
            **_describe_progress(row),
            "deliveries": deliveries[:DELIVERIES_SHOWN],
            "delivery_count": row.deliveries.count(),
            "deliveries_shown": DELIVERIES_SHOWN,
            "may_deploy": may_deploy,
            "may_rerun": may_deploy and is_unhappy,
            "may_cancel": may_deploy and not row.is_final and not row.cancel_requested_at,
            "may_roll_back": may_deploy and is_good and is_here and row != find_live(),
        }

    def live_view(self, request: HttpRequest, deploy_id: int) -> HttpResponse:
        """The part of the page that changes while the deploy goes on."""
        deploy = self._get_viewable(request, deploy_id)
        return TemplateResponse(
            request, "admin/deployhooks/deploy/live.html", _describe_progress(deploy)
        )

    def log_view(self, request: HttpRequest, deploy_id: int) -> HttpResponse:
        deploy = self._get_viewable(request, deploy_id)
        return HttpResponse(render_log(deploy), content_type="text/plain; charset=utf-8")

    @method_decorator(require_POST)
    def rerun_view(self, request: HttpRequest, deploy_id: int) -> HttpResponse:
        self.demand_permission(request)
        deploy = get_object_or_404(Deploy, pk=deploy_id)
        return go_to(self._rerun(request, deploy) or deploy)

    @method_decorator(require_POST)
    def cancel_view(self, request: HttpRequest, deploy_id: int) -> HttpResponse:
        self.demand_permission(request)
        deploy = get_object_or_404(Deploy, pk=deploy_id)
        try:
            control.cancel(deploy, by=request.user.get_username())
        except control.Refused as error:
            self._warn(request, str(error))
        return go_to(deploy)

    @method_decorator(require_POST)
    def deploy_now_view(self, request: HttpRequest) -> HttpResponse:
        self.demand_permission(request)
        asked_by = request.user.get_username()
        deploy = request_deploy(Deploy.Trigger.MANUAL, requested_by=asked_by)
        messages.success(request, _("Deploy {} is queued.").format(deploy.pk))
        return go_to(deploy)

    def _get_viewable(self, request: HttpRequest, deploy_id: int) -> Deploy:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(Deploy, pk=deploy_id)

    def _rerun(self, request: HttpRequest, deploy: Deploy) -> Deploy | None:
        """Ask for a deploy once more and tell the person; None when it is not at its end yet."""
        try:
            new = rerun(deploy, requested_by=request.user.get_username())
        except ValueError as error:
            self._warn(request, str(error))
            return None
        link = format_html('<a href="{}">{} #{}</a>', page_of(new), _("Deploy"), new.pk)
        said = _("is queued and runs deploy #{} again.").format(deploy.pk)
        messages.success(request, format_html("{} {}", link, said))
        return new

    def _warn(self, request: HttpRequest, text: str) -> None:
        messages.warning(request, text)


def _describe_progress(deploy: Deploy) -> dict[str, Any]:
    steps = list(
        deploy.steps.defer("output").annotate(
            size=Length("output"), shown=Right("output", OUTPUT_SHOWN)
        )
    )
    return {
        "deploy": deploy,
        "steps": steps,
        "explanation": explain(deploy, steps),
        "output_shown": OUTPUT_SHOWN,
        "reruns": deploy.reruns.only("pk", "status", "rerun_of").order_by("id")[:RERUNS_SHOWN],
    }


def _say_end(deploy: Any) -> str:
    if deploy.status == Deploy.Status.FAILED:
        return first_line(deploy.error)[:200]
    if deploy.status == Deploy.Status.RUNNING and deploy.unfinished_step:
        return _("runs {}").format(deploy.unfinished_step)
    if deploy.status == Deploy.Status.CANCELLED and deploy.cancel_requested_by:
        return _("cancelled by {}").format(deploy.cancel_requested_by)
    return ""


def _say_cause(deploy: Any) -> SafeString:
    """Why there is this deploy: "push, 3 deliveries", "rerun of #4 by ann"."""
    cause = format_html("{}", deploy.trigger)
    if deploy.rerun_of_id:
        url = reverse("admin:deployhooks_deploy_change", args=[deploy.rerun_of_id])
        cause = format_html('{} {} <a href="{}">#{}</a>', cause, _("of"), url, deploy.rerun_of_id)
    if deploy.requested_by:
        cause = format_html("{} {} {}", cause, _("by"), deploy.requested_by)
    if deploy.delivery_count > 1:
        several = _("{} deliveries").format(deploy.delivery_count)
        cause = format_html("{}, {}", cause, several)
    return cause
