"""Who writes posts chooses no repositories: which submodules within the content are followed."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from deployhooks.repositories import normalise_url


def is_content(folder: Path) -> bool:
    """Whether a folder holds content: one of DEPLOY_CONTENT lies in it, or it in that."""
    return any(
        folder.is_relative_to(content) or content.is_relative_to(folder)
        for content in settings.DEPLOY_CONTENT
    )


def is_followed(url: str, parent: Path) -> bool:
    """Whether the submodule at `parent` may bring another repository, fetched as the server may.

    One that holds code may, who pushes there runs code anyway. One that holds content may bring
    only what the operator has named: else its authors could publish all that the server can read.
    """
    named = map(normalise_url, settings.DEPLOY_CONTENT_SUBMODULES)
    return not is_content(parent) or normalise_url(url) in named
