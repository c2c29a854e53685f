"""Byte code of the project's own modules: kept, and never that of an earlier version of a file.

Python compares a file's time and size with what it compiled. A tree that moves twice within a
second keeps both, so the processes of the site write no byte code (PYTHONDONTWRITEBYTECODE); what
is written here they take only for the very same source.
"""

from __future__ import annotations

import logging
import marshal
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path
from types import CodeType

from django.apps import apps
from django.conf import settings

from deployhooks.checkout.local_changes import remove_empty

logger = logging.getLogger(__name__)

CACHE, DRAFT = "__pycache__", ".draft"
# Of byte code that Python compares with its source by content. https://peps.python.org/pep-0552/
IS_CHECKED = (0b11).to_bytes(4, "little")


def compile_project(folder: Path) -> int:
    """Compile what has changed of the apps in the project's folder; return how many files.

    It only saves time: what cannot be read, compiled or written stays without.
    """
    _remove_leftovers(folder)
    stale = [source for source in find_sources(folder) if read_fresh(source) is None]
    failures = [failure for source in stale if (failure := _compile(source))]
    if failures:
        logger.info("%s files have no byte code, among them %s", len(failures), failures[0])
    return len(stale) - len(failures)


def lend_byte_code(folder: Path, other: Path) -> None:
    """Copy what is fresh to another version's tree: it is taken where that has the same file."""
    for source in find_sources(folder):
        twin = other / source.relative_to(folder)
        if twin.is_file() and (data := read_fresh(source)):
            with suppress(OSError):
                _write(twin, data, is_lasting=False)


def find_sources(folder: Path) -> Iterator[Path]:
    """The Python files of the project's own apps, as this process knows them, in any tree of it."""
    for place in _find_places(folder):
        yield from (
            each for each in place.rglob("*.py") if each.is_file() and not _is_foreign(each)
        )


def read_fresh(source: Path) -> bytes | None:
    """A file's byte code, if it is whole, of this Python and of this very content.

    Python takes byte code that was cut short for whole, and does not start.
    """
    try:
        data = Path(cache_from_source(str(source))).read_bytes()
        if data[:16] != _head(source.read_bytes()):
            return None
        code = marshal.loads(data[16:])  # noqa: S302 - as Python itself does at each import
    except (OSError, EOFError, ValueError, TypeError):
        return None
    return data if isinstance(code, CodeType) else None


def _find_places(folder: Path) -> Iterator[Path]:
    for app in apps.get_app_configs():
        path = Path(app.path)
        if path.is_relative_to(settings.BASE_DIR) and not _is_foreign(path):
            yield folder / path.relative_to(settings.BASE_DIR)


def _is_foreign(path: Path) -> bool:
    """Whether it belongs to a virtual environment that lies within the project."""
    return path.is_relative_to(sys.prefix)


def _compile(source: Path) -> str:
    """Return why there is no byte code; empty: there is."""
    try:
        text = source.read_bytes()
        code = compile(text, str(source), "exec", dont_inherit=True)
        _write(source, _head(text) + marshal.dumps(code), is_lasting=True)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"{source}: {error}"
    return ""


def _head(text: bytes) -> bytes:
    return MAGIC_NUMBER + IS_CHECKED + source_hash(text)


def _write(source: Path, data: bytes, *, is_lasting: bool) -> None:
    """The whole of it or nothing, also when the disk is full; `is_lasting`: or the power fails."""
    target = Path(cache_from_source(str(source)))
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(f".{os.getpid()}{DRAFT}")
    try:
        with draft.open("wb") as file:
            file.write(data)
            if is_lasting:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(target)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _remove_leftovers(folder: Path) -> None:
    """A package that is gone could still be imported, as an empty one, while its folder stays."""
    for place in _find_places(folder):
        caches = sorted(place.rglob(CACHE), key=lambda each: len(each.parts), reverse=True)
        for cache in (each for each in caches if not _is_foreign(each)):
            for draft in cache.glob(f"*{DRAFT}"):  # of a process that was killed
                with suppress(OSError):
                    draft.unlink()
            if not any(cache.parent.glob("*.py")):
                shutil.rmtree(cache, ignore_errors=True)
                with suppress(OSError):
                    remove_empty(cache.parent, folder)
