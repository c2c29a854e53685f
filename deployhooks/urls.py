"""The webhook's address, in both spellings: GitHub follows no redirect."""

from django.urls import path

from deployhooks.views import github

urlpatterns = [
    path("github", github),
    path("github/", github, name="github_webhook"),
]
