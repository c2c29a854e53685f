"""Keeps rendered posts on disk until they are written: thousands would fill the memory."""

import pickle
from collections.abc import Iterable, Iterator
from typing import IO

from posts.rendering import Rendered
from posts.source import SourceFile


class Spool:
    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.places: dict[SourceFile, int] = {}

    def put(self, rendered: Rendered) -> None:
        self.places[rendered.source] = self.file.seek(0, 2)
        pickle.dump(rendered, self.file)

    def get(self, each: SourceFile) -> Rendered:
        self.file.seek(self.places[each])
        rendered: Rendered = pickle.load(self.file)  # noqa: S301 - our own, from this process
        return rendered

    def read_targets(self, sources: Iterable[SourceFile]) -> Iterator[tuple[str, list[str]]]:
        """Path and the targets of the links of those that are not broken."""
        drafts = ((each.path, self.get(each).draft) for each in sources)
        return ((path, [link["target"] for link in draft.links]) for path, draft in drafts if draft)

    def read_texts(self, sources: Iterable[SourceFile]) -> Iterator[tuple[str, str]]:
        """Title and text of those that are not broken."""
        drafts = (self.get(each).draft for each in sources)
        return ((draft.title, draft.text) for draft in drafts if draft)
