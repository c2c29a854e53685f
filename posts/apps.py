"""The blog: files in POSTS_DIR become rows, rows become pages."""

from django.apps import AppConfig


class PostsConfig(AppConfig):
    name = "posts"
