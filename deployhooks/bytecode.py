"""Byte code of the project's own modules: kept, and never that of an earlier version of a file.

Python compares a file's time and size with what it compiled. A tree that moves twice within a
second keeps both, so the processes of the site write no byte code (PYTHONDONTWRITEBYTECODE); what
is written here they take only for the very same source.
"""

from __future__ import annotations

import logging
import py_compile
import shutil
import sys
from collections.abc import Iterator
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path

from django.apps import apps
from django.conf import settings

logger = logging.getLogger(__name__)

CHECKED_HASH = py_compile.PycInvalidationMode.CHECKED_HASH
# Byte code that is compared with its source by content. https://peps.python.org/pep-0552/
IS_CHECKED = (0b11).to_bytes(4, "little")


def compile_project(folder: Path) -> int:
    """Compile what has changed of the apps in the project's folder; return how many files.

    It only saves time: what cannot be read, compiled or written stays without.
    """
    stale = [source for source in find_sources(folder) if not is_fresh(source)]
    for source in stale:
        try:
            py_compile.compile(str(source), doraise=True, invalidation_mode=CHECKED_HASH)
        except (py_compile.PyCompileError, OSError, ValueError) as error:
            logger.info("no byte code for %s: %s", source, error)
    return len(stale)


def lend_byte_code(folder: Path, other: Path) -> None:
    """Copy what is fresh to another version's tree: it is taken where that has the same file."""
    for source in find_sources(folder):
        twin = other / source.relative_to(folder)
        if twin.exists() and is_fresh(source):
            target = Path(cache_from_source(str(twin)))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(cache_from_source(str(source)), target)


def find_sources(folder: Path) -> Iterator[Path]:
    """The Python files of the project's own apps, as this process knows them, in any tree of it."""
    for app in apps.get_app_configs():
        path = Path(app.path)
        if path.is_relative_to(settings.BASE_DIR) and not path.is_relative_to(sys.prefix):
            yield from (folder / path.relative_to(settings.BASE_DIR)).rglob("*.py")


def is_fresh(source: Path) -> bool:
    """Whether a file's byte code is of this Python and of this very content."""
    try:
        head = Path(cache_from_source(str(source))).read_bytes()[:16]
        return head == MAGIC_NUMBER + IS_CHECKED + source_hash(source.read_bytes())
    except OSError:
        return False
