"""What is read from a gunicorn's run folder; real reloads are in tests/system/test_reload.py."""

import json
from pathlib import Path

import pytest

from deployhooks.gunicorn import Gunicorn


def report(folder: Path, **values: object) -> None:
    (folder / "reload.json").write_text(json.dumps(values))


@pytest.mark.parametrize(
    ("began_at", "found"), [(99.0, None), (100.0, "it broke"), (101.0, "it broke")]
)
def test_a_refusal_counts_for_the_reload_that_was_asked_for_not_for_an_earlier_one(
    tmp_path: Path, began_at: float, found: str | None
):
    report(tmp_path, began_at=began_at, problem="it broke")
    assert Gunicorn(tmp_path).read_problem(100.0) == found


def test_without_a_report_there_is_no_problem(tmp_path: Path):
    assert Gunicorn(tmp_path).read_problem(100.0) is None


def test_without_a_master_no_versions_run(tmp_path: Path):
    assert Gunicorn(tmp_path).versions() == {}
