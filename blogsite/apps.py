"""The site itself: its settings, its start, its health."""

from django.apps import AppConfig


class BlogsiteConfig(AppConfig):
    name = "blogsite"
