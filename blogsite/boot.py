"""What a new web worker proves before it may take over."""

import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template import TemplateSyntaxError, engines
from django.template.backends.django import DjangoTemplates
from django.test import Client
from django.urls import get_resolver

from blogsite.version import describe_process


class CannotServe(Exception):
    """The worker is up but would not answer; the message says why."""


def prove_it_can_serve() -> dict[str, Any]:
    """Import what is imported lazily, compile the project's templates, answer a health check.

    Returns what /healthz says of this process. Raises whatever is broken.
    """
    _ = get_resolver().url_patterns
    compile_templates()
    answer = Client().get("/healthz", headers={"host": settings.SITE_HOST})
    if answer.status_code != 200:
        raise CannotServe(f"/healthz answers {answer.status_code}")
    return describe_process()


def compile_templates() -> int:
    """Compile (and keep) each template of the project; return how many there are.

    A worker that has compiled all of them never picks up a template of the next version. Raises
    CannotServe for one that does not parse.
    """
    compiled = 0
    for engine in engines.all():
        if not isinstance(engine, DjangoTemplates):
            continue
        for folder in engine.template_dirs:
            if is_of_the_project(Path(folder)):
                for name in find_template_names(Path(folder)):
                    compile_template(engine, name)
                    compiled += 1
    return compiled


def compile_template(engine: DjangoTemplates, name: str) -> None:
    try:
        engine.get_template(name)
    except TemplateSyntaxError as error:
        raise CannotServe(f"the template {name} does not parse: {error}") from error


def is_of_the_project(folder: Path) -> bool:
    """Whether a folder is the project's own, not that of a library in its virtual environment."""
    return folder.is_relative_to(settings.BASE_DIR) and not folder.is_relative_to(sys.prefix)


def find_template_names(folder: Path) -> list[str]:
    """Return the names of all templates in a folder and below, as templates call each other."""
    return [
        str((Path(root) / name).relative_to(folder))
        for root, _, names in os.walk(folder)
        for name in sorted(names)
        if not name.startswith(".")
    ]
