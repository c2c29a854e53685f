"""Posts in the admin: to look at, not to edit; they are edited in git."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from posts.models import Post

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    PostModelAdmin = admin.ModelAdmin[Post]
else:
    # Django's own class takes no type in brackets.
    PostModelAdmin = admin.ModelAdmin


class ProblemFilter(admin.SimpleListFilter):
    title = _("problems")
    parameter_name = "problems"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("broken", _("broken: the last good version is shown")), ("some", _("some"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "broken":
            return queryset.filter(is_broken=True)
        if self.value() == "some":
            return queryset.exclude(problems=[], site_problems=[])
        return queryset


def link_to(posts: QuerySet[Post]) -> SafeString | str:
    """To the pages of the posts in the admin."""
    rows = (
        (reverse("admin:posts_post_change", args=[each.pk]), each.path, each.language or "–")
        for each in posts.only("path", "language")
    )
    return format_html_join("", '<div><a href="{}">{}</a> ({})</div>', rows) or "–"


@admin.register(Post)
class PostAdmin(PostModelAdmin):
    list_display = ("title", "path", "state", "published_at", "problem_count")
    list_filter = (ProblemFilter, "status", "language")
    search_fields = ("title", "path")
    date_hierarchy = "published_at"
    ordering = ("-is_broken", "-published_at", "path")
    fields = (
        "title", "path", "state", "address", "preview", "language", "translates", "translations",
        "published_at", "updated_at", "tag_list", "category", "series", "author", "summary",
        "problem_list", "older_addresses",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("body", "text", "toc")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Post | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Post | None = None) -> bool:
        return False

    @admin.display(description=_("state"), ordering="status")
    def state(self, post: Post) -> "StrOrPromise":
        if post.is_broken:
            return _("broken: the last good version is shown") if post.is_rendered else _("broken")
        if post.status == Post.Status.PUBLISHED and post.is_scheduled:
            return _("scheduled")
        return post.get_status_display()

    @admin.display(description=_("problems"))
    def problem_count(self, post: Post) -> int | str:
        return len(post.all_problems) or "–"

    @admin.display(description=_("problems"))
    def problem_list(self, post: Post) -> SafeString | str:
        rows = (
            (each.get("file", post.path), each["line"], each["message"])
            for each in post.all_problems
        )
        return format_html_join("", "<div>{}:{}: {}</div>", rows) or "–"

    @admin.display(description=_("address"))
    def address(self, post: Post) -> SafeString:
        return format_html('<a href="{0}">{0}</a>', post.get_absolute_url())

    @admin.display(description=_("preview"))
    def preview(self, post: Post) -> SafeString:
        return format_html('<a href="{0}">{0}</a>', reverse("posts:draft", args=[post.uid]))

    @admin.display(description=_("translation of"))
    def translates(self, post: Post) -> SafeString | str:
        return link_to(Post.objects.filter(path=post.original).exclude(pk=post.pk))

    @admin.display(description=_("translations"))
    def translations(self, post: Post) -> SafeString | str:
        others = Post.objects.filter(original=post.path).exclude(pk=post.pk)
        return link_to(others.order_by("precedence"))

    @admin.display(description=_("tags"))
    def tag_list(self, post: Post) -> str:
        return ", ".join(post.tag_names) or "–"

    @admin.display(description=_("older addresses"))
    def older_addresses(self, post: Post) -> SafeString | str:
        rows = ((each.address,) for each in post.addresses.order_by("kind", "address"))
        return format_html_join("", "<div>{}</div>", rows) or "–"
