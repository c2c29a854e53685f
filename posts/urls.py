"""The addresses of the blog. They are promises: other sites link to them."""

from django.urls import path, re_path

from posts import feeds, files, groups, sitemaps, views

app_name = "posts"

urlpatterns = [
    path("", views.front, name="front"),
    re_path(
        r"^(?P<year>\d{4})/(?P<month>\d{2})/(?P<day>\d{2})/(?P<slug>[^/]+)/$",
        views.post,
        name="post",
    ),
    path("pages/<str:slug>/", views.page, name="page"),
    path("articles/<path:name>.html", views.article, name="article"),
    path("tags/", views.tags, name="tags"),
    path("tags/<str:slug>/", views.group, {"kind": groups.TAG}, name="tag"),
    path("tags/<str:slug>/feed/", feeds.group_feed, {"kind": groups.TAG}),
    path("tags/<str:slug>/rss/", feeds.group_rss, {"kind": groups.TAG}),
    path("categories/<str:slug>/", views.group, {"kind": groups.CATEGORY}, name="category"),
    path("categories/<str:slug>/feed/", feeds.group_feed, {"kind": groups.CATEGORY}),
    path("categories/<str:slug>/rss/", feeds.group_rss, {"kind": groups.CATEGORY}),
    path("authors/<str:slug>/", views.group, {"kind": groups.AUTHOR}, name="author"),
    path("authors/<str:slug>/feed/", feeds.group_feed, {"kind": groups.AUTHOR}),
    path("authors/<str:slug>/rss/", feeds.group_rss, {"kind": groups.AUTHOR}),
    path("languages/<str:slug>/", views.group, {"kind": groups.LANGUAGE}, name="language"),
    path("languages/<str:slug>/feed/", feeds.group_feed, {"kind": groups.LANGUAGE}),
    path("languages/<str:slug>/rss/", feeds.group_rss, {"kind": groups.LANGUAGE}),
    path("series/<str:slug>/", views.group, {"kind": groups.SERIES}, name="series"),
    path("archive/", views.archive, name="archive"),
    re_path(r"^archive/(?P<year>[0-9]{4})/$", views.archive_year, name="archive_year"),
    path("search/", views.search, name="search"),
    path("feed/", feeds.feed, name="feed"),
    path("rss/", feeds.rss, name="rss"),
    path("sitemap.xml", sitemaps.sitemap, name="sitemap"),
    path("robots.txt", views.robots, name="robots"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("files/<path:path>", files.file, name="file"),
    path("thumbnails/<str:name>/<path:path>", files.thumbnail, name="thumbnail"),
    path("drafts/", views.drafts, name="drafts"),
    path("drafts/<uuid:uid>/", views.draft, name="draft"),
]
