"""The addresses of the blog. They are promises: other sites link to them."""

from django.urls import path, re_path

from posts import feeds, files, sitemaps, views

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
    path("tags/<str:slug>/", views.tag, name="tag"),
    path("tags/<str:slug>/feed/", feeds.tag_feed, name="tag_feed"),
    path("categories/<str:slug>/", views.category, name="category"),
    path("series/<str:slug>/", views.series, name="series"),
    path("archive/", views.archive, name="archive"),
    path("search/", views.search, name="search"),
    path("feed/", feeds.feed, name="feed"),
    path("rss/", feeds.rss, name="rss"),
    path("sitemap.xml", sitemaps.sitemap, name="sitemap"),
    path("robots.txt", views.robots, name="robots"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("files/<path:path>", files.file, name="file"),
    path("drafts/", views.drafts, name="drafts"),
    path("drafts/<uuid:uid>/", views.draft, name="draft"),
]
