"""Live sites for the system tests; each is ended with all its processes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.live_site import LiveSite


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., LiveSite]]:
    made: list[LiveSite] = []

    def make(**options: str | bool) -> LiveSite:
        folder = tmp_path / f"live{len(made)}"
        folder.mkdir()
        made.append(LiveSite(folder, **options))
        return made[-1]

    yield make
    for site in made:
        site.clean_up()


@pytest.fixture
def site(make_site: Callable[..., LiveSite]) -> LiveSite:
    """A running site whose content is a tracked submodule."""
    site = make_site()
    site.start()
    return site
