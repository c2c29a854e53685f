"""Finds the migrations that stay applied when the site goes back to an older commit."""

from __future__ import annotations

from pathlib import PurePath

from deployhooks.checkout import Checkout
from deployhooks.process import ProcessFailed

MIGRATIONS = ":(glob)**/migrations/*.py"


def find_newer_migrations(checkout: Checkout, commit: str) -> list[str]:
    """Return those that what is checked out has and `commit` has not, as "app.name".

    Empty for a commit that is not here: what was live here once is.
    """
    added = ("diff", "--name-only", "--no-renames", "--diff-filter=A", "-z")
    try:
        names = checkout.git.ask_paths(*added, commit, checkout.head_commit(), "--", MIGRATIONS)
    except ProcessFailed:
        return []
    paths = [PurePath(name) for name in names]
    return sorted(f"{path.parts[-3]}.{path.stem}" for path in paths if path.stem != "__init__")


def describe_newer(migrations: list[str]) -> str:
    """One sentence for people; empty when there are none."""
    if not migrations:
        return ""
    return (
        f"The older version does not know these migrations, they stay applied: "
        f"{', '.join(migrations)}."
    )
