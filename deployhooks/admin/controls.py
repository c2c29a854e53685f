"""Buttons in the admin that decide about deploys: roll back, freeze, thaw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from deployhooks import control, queue
from deployhooks.admin.readonly import ReadOnlyAdmin
from deployhooks.models import Deploy


class ControlAdmin(ReadOnlyAdmin):
    """What the deploys' admin stands on; every view is for those who may ask for deploys."""

    def get_control_urls(self) -> list[URLPattern]:
        views: list[tuple[str, Callable[..., HttpResponseBase], str]] = [
            ("<int:deploy_id>/rollback/", self.rollback_view, "rollback"),
            ("freeze/", self.freeze_view, "freeze"),
            ("thaw/", self.thaw_view, "thaw"),
        ]
        return [
            path(route, self.admin_site.admin_view(view), name=f"deployhooks_deploy_{name}")
            for route, view, name in views
        ]

    def has_deploy_permission(self, request: HttpRequest) -> bool:
        """Whether somebody may ask for deploys: nobody edits one, so `change` means that."""
        return request.user.has_perm("deployhooks.change_deploy")

    def demand_permission(self, request: HttpRequest) -> None:
        if not self.has_deploy_permission(request):
            raise PermissionDenied

    def rollback_view(self, request: HttpRequest, deploy_id: int) -> HttpResponse:
        """Ask once more, naming commit and migrations; go back on POST."""
        self.demand_permission(request)
        deploy = get_object_or_404(Deploy, pk=deploy_id)
        try:
            control.find_target(deploy)
            if request.method == "POST":
                asked = control.roll_back(deploy, by=request.user.get_username())
                return go_to(asked)
        except control.Refused as error:
            messages.warning(request, str(error))
            return go_to(deploy)
        return TemplateResponse(
            request, "admin/deployhooks/deploy/rollback.html", self._ask_once_more(request, deploy)
        )

    def _ask_once_more(self, request: HttpRequest, deploy: Deploy) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": _("Roll back to deploy {}?").format(deploy.pk),
            "opts": self.opts,
            "deploy": deploy,
            "warning": control.warn_about(deploy),
        }

    @method_decorator(require_POST)
    def freeze_view(self, request: HttpRequest) -> HttpResponse:
        self.demand_permission(request)
        control.freeze(request.POST.get("reason", "").strip()[:500], request.user.get_username())
        messages.success(request, _("Deploys are frozen: what is pushed is held."))
        return go_to_list()

    @method_decorator(require_POST)
    def thaw_view(self, request: HttpRequest) -> HttpResponse:
        self.demand_permission(request)
        if not queue.is_frozen():
            messages.info(request, _("Deploys were not frozen."))
            return go_to_list()
        deploy = control.thaw(by=request.user.get_username())
        if deploy:
            messages.success(request, _("Deploy {} serves what was held.").format(deploy.pk))
            return go_to(deploy)
        messages.success(request, _("Deploys are no longer frozen; nothing was held."))
        return go_to_list()


def page_of(deploy: Deploy) -> str:
    return reverse("admin:deployhooks_deploy_change", args=[deploy.pk])


def go_to(deploy: Deploy) -> HttpResponseRedirect:
    return HttpResponseRedirect(page_of(deploy))


def go_to_list() -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:deployhooks_deploy_changelist"))
