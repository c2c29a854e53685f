"""Installing packages for a new version and going back, with a real pip and wheels of our own."""

import sys
import venv
import zipfile
from pathlib import Path

import pytest

from deployhooks import process
from deployhooks.requirements import Requirements


def make_wheel(folder: Path, name: str, version: str) -> None:
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"__version__ = '{version}'\n")
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        tags = "Root-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: tests\n{tags}")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The python of a virtual environment that finds packages only in the folder beside it."""
    folder = tmp_path_factory.mktemp("requirements")
    (folder / "wheels").mkdir()
    for name, version in (("changed", "1"), ("changed", "2"), ("added", "1"), ("gunicorn", "1")):
        make_wheel(folder / "wheels", name, version)
    venv.create(folder / "venv", with_pip=True)
    return folder / "venv" / "bin" / "python"


@pytest.fixture
def requirements(python: Path, settings, monkeypatch: pytest.MonkeyPatch) -> Requirements:
    settings.DEPLOY_PYTHON = str(python)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(python.parents[2] / "wheels"))

    def run(args, *, timeout=60.0):
        return process.run(args, cwd=python.parents[2], timeout=timeout)

    return Requirements(run)


def install(requirements: Requirements, tmp_path: Path, text: str) -> None:
    (tmp_path / "requirements.txt").write_text(text)
    requirements.install(tmp_path / "requirements.txt")


def test_packages_go_back_to_exactly_what_was_there(requirements: Requirements, tmp_path: Path):
    install(requirements, tmp_path, "changed==1\n")
    before = requirements.freeze()
    assert "changed==1" in before
    install(requirements, tmp_path, "changed==2\nadded==1\n")
    assert requirements.freeze() != before
    assert requirements.restore(before) == 2
    assert requirements.freeze() == before
    assert requirements.restore(before) == 0


def test_a_package_that_does_not_exist_is_told_and_changes_nothing(
    requirements: Requirements, tmp_path: Path
):
    before = requirements.freeze()
    with pytest.raises(process.ProcessFailed, match="nobody-has-it"):
        install(requirements, tmp_path, "added==1\nnobody-has-it==1\n")
    assert requirements.freeze() == before


def test_a_gunicorn_that_is_not_the_one_that_runs_is_named(
    requirements: Requirements, tmp_path: Path
):
    install(requirements, tmp_path, "gunicorn==1\n")
    version = "{}.{}.{}".format(*sys.version_info[:3])
    restarts = requirements.find_restarts({"gunicorn": "27.0.1", "Python": version})
    assert len(restarts) == 1
    assert "gunicorn 1 is installed, 27.0.1 goes on running" in restarts[0]
    assert "restart script/server" in restarts[0]
    assert requirements.find_restarts({"gunicorn": "1", "Python": version}) == []
    assert "Python" in requirements.find_restarts({"gunicorn": "1", "Python": "2.7.18"})[0]
    assert requirements.find_restarts({}) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [("a", "a", False), ("a", "b", True), (None, "a", True), ("a", None, False)],
)
def test_requirements_differ_by_their_bytes(tmp_path: Path, old, new, expected):
    for name, text in (("old", old), ("new", new)):
        if text is not None:
            (tmp_path / name).write_text(text)
    assert Requirements(process.run).differ(tmp_path / "old", tmp_path / "new") is expected
