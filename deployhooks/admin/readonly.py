"""What the admin's lists and pages here have in common: read only, and quick in a long history."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _Paginator = Paginator[Any]
else:
    _ModelAdmin, _Paginator = admin.ModelAdmin, Paginator

HEX_DIGITS = re.compile(r"[0-9a-f]{4,40}")
GUID_PART = re.compile(r"[0-9a-f-]{8,36}")


class BoundedPaginator(_Paginator):
    """Counts, and pages through, no more than the newest rows: a full count reads every row."""

    BOUND = 10_000

    @cached_property
    def counted(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list).order_by().values("pk")
        return rows[: self.BOUND + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self.counted, self.BOUND)

    @property
    def has_more(self) -> bool:
        return self.counted > self.BOUND


class ReadOnlyAdmin(_ModelAdmin):
    """Shows rows to those who may view them; add, change and delete exist for nobody."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    # By the newest alone: no index serves sorting by other columns, and they offer none.
    ordering = ("-id",)
    # Large columns that the list does not show.
    list_defer: tuple[str, ...] = ()
    page_template = ""

    class Media:
        css = {"all": ["deployhooks/admin.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LeanChangeList

    def get_list_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the list, with what its columns need and without what they do not."""
        return queryset.defer(*self.list_defer)

    def look_up(self, term: str) -> Iterable[Q]:
        """The ways, each served by an index, in which a search term may name rows exactly."""
        return ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Rows that the term names by number, GUID or commit; when there are none, by words."""
        for condition in self.look_up(search_term.strip().lower()) if search_term else ():
            found = queryset.filter(condition)
            if found.exists():
                return found, False
        return super().get_search_results(request, queryset, search_term)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page of one row; Django's own would build a form only to disable it."""
        row = self.get_object(request, unquote(object_id))
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            return self._get_obj_does_not_exist_redirect(  # type: ignore[attr-defined,no-any-return]
                request, self.opts, object_id
            )
        context = {
            **self.admin_site.each_context(request),
            "title": str(row),
            "opts": self.opts,
            "original": row,
            **self.get_page_context(request, row),
            **(extra_context or {}),
        }
        return TemplateResponse(request, self.page_template, context)

    def get_page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return {}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Refuse a POST of those who have no action, where Django would ignore it."""
        if request.method == "POST" and not self.get_actions(request):
            raise PermissionDenied
        title = _("{} – newest first").format(str(self.opts.verbose_name_plural).capitalize())
        return super().changelist_view(request, {"title": title, **(extra_context or {})})


class LeanChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count  # there is nothing to clear

    def get_queryset(self, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        queryset = super().get_queryset(*args, **kwargs)
        return self.model_admin.get_list_queryset(queryset)  # type: ignore[attr-defined,no-any-return]


def begins_with(field: str, start: str) -> Q:
    """Condition that an index serves, for `start` of hexadecimal digits and hyphens.

    LIKE is no help: SQLite's ignores case and so the index, PostgreSQL's wants an index of its own.
    In every collation "g" comes after all hexadecimal digits.
    """
    return Q(**{f"{field}__gte": start, f"{field}__lt": f"{start}g"})


def is_part_of_commit(term: str) -> bool:
    return HEX_DIGITS.fullmatch(term) is not None


def is_part_of_guid(term: str) -> bool:
    return GUID_PART.fullmatch(term) is not None
