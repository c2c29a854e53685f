"""The folder of posts as git remembers it.

Processes that render are given it: it must not import models, which they cannot load.
"""

from dataclasses import dataclass, field

import git

from posts import source
from posts.galleries import Gallery
from posts.source import Folder, PostUnreadable, SourceFile

PIECE = 1 << 20


@dataclass
class Attic(Folder):
    """Reads any version that was ever committed."""

    store: git.Git = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.store = git.Git(self.root)

    def read(self, source: SourceFile) -> tuple[str, str]:
        own = source.digest.partition("@")[0].partition("~")[0]
        text, *companion = (self.read_blob(blob) if blob else "" for blob in own.split("+"))
        return text, "".join(companion)

    def read_note(self, gallery: Gallery, name: str) -> str:
        return self.read_blob(dict(gallery.notes)[name])

    def read_blob(self, blob: str) -> str:
        """The text. Raises PostUnreadable for what is none, and for what git has lost."""
        try:
            _, _, size, stream = self.store.stream_object_data(blob)
        except ValueError as error:
            raise PostUnreadable(f"git has no {blob}") from error
        content = stream.read(source.MAX_BYTES)
        while stream.read(PIECE):
            pass  # The next object comes behind this one.
        source.check_size(size)
        return source.decode(content)

    def close(self) -> None:
        self.store.clear_cache()
