"""The site's addresses."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from blogsite.views import healthz

admin.site.site_header = admin.site.site_title = settings.SITE_NAME

urlpatterns = [
    path("healthz", healthz),
    path("hooks/", include("deployhooks.urls")),
    path("admin/", admin.site.urls),
    path("", include("posts.urls")),
]

handler404 = "posts.views.page_not_found"
handler500 = "blogsite.views.server_error"
