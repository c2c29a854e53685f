"""Keeps what a deploy changes beside the checkout as it was, until a version has proved to work."""

from __future__ import annotations

import shutil
from pathlib import Path


class Kept:
    """Texts in a folder, so that they outlive a killed process and serve the next attempt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, name: str, text: str) -> None:
        """Keep a text; one that is kept already belongs to the version that worked, and stays."""
        if self.find(name) is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f"{name}.draft"
        draft.write_text(text)
        draft.rename(self.folder / name)

    def find(self, name: str) -> str | None:
        try:
            return (self.folder / name).read_text()
        except FileNotFoundError:
            return None

    def forget(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def clear(self) -> None:
        """The new version works: there is nothing to come back to."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def __bool__(self) -> bool:
        return self.folder.is_dir() and any(self.folder.iterdir())
