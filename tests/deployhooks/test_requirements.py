"""Installing packages for a new version and going back, with a real pip and wheels of our own."""

import sys
import venv
import zipfile
from pathlib import Path

import pytest

from deployhooks import process
from deployhooks.process import Finished
from deployhooks.requirements import PackagesDiffer, Requirements, pin


def make_wheel(folder: Path, name: str, version: str, spelled: str = "") -> None:
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"__version__ = '{version}'\n")
        wheel.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: {spelled or name}\nVersion: {version}\n",
        )
        tags = "Root-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: tests\n{tags}")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The python of a virtual environment that finds packages only in the folder beside it."""
    folder = tmp_path_factory.mktemp("requirements")
    (folder / "wheels").mkdir()
    for name, version in (("changed", "1"), ("changed", "2"), ("added", "1"), ("gunicorn", "1"),
                          ("beside", "1")):  # fmt: skip
        make_wheel(folder / "wheels", name, version)
    make_wheel(folder / "wheels", "re_named", "1", spelled="re_named")
    make_wheel(folder / "wheels", "re_named", "2", spelled="Re.Named")
    venv.create(folder / "venv", with_pip=True)
    return folder / "venv" / "bin" / "python"


@pytest.fixture
def requirements(python: Path, settings, monkeypatch: pytest.MonkeyPatch) -> Requirements:
    settings.DEPLOY_PYTHON = str(python)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(python.parents[2] / "wheels"))

    def run(args, *, timeout=60.0, check=True):
        return process.run(args, cwd=python.parents[2], timeout=timeout, check=check)

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


def test_a_name_that_is_spelled_in_another_way_is_the_same_package(
    requirements: Requirements, tmp_path: Path
):
    install(requirements, tmp_path, "re-named==1\n")
    before = requirements.freeze()
    assert "re-named==1" in before
    install(requirements, tmp_path, "re-named==2\n")
    assert requirements.restore(before) == 1
    assert requirements.freeze() == before


def test_packages_that_cannot_be_made_the_same_are_told(requirements: Requirements):
    frozen = requirements.freeze()
    requirements.pip = lambda *args: Finished((), 0, "\n".join([*frozen, "stays==1"]))
    with pytest.raises(PackagesDiffer, match=r"not as they were: stays==1.*script/server"):
        requirements.restore(frozen)


def test_what_is_lacking_is_installed_into_a_folder_beside(
    requirements: Requirements, tmp_path: Path, python: Path
):
    install(requirements, tmp_path, "changed==1\n")
    before, wanted = requirements.freeze(), tmp_path / "wanted.txt"
    wanted.write_text(f"--find-links {python.parents[2] / 'wheels'}\nchanged==2\nbeside==1\n")
    assert requirements.lacks(wanted)
    requirements.prepare(wanted, tmp_path / "packages")
    assert requirements.freeze() == before
    found = {path.name for path in (tmp_path / "packages").glob("*.dist-info")}
    assert found == {"changed-2.dist-info", "beside-1.dist-info"}
    wanted.write_text("changed==1\n")
    assert not requirements.lacks(wanted)
    requirements.prepare(wanted, tmp_path / "nothing")
    assert not list((tmp_path / "nothing").iterdir())


def test_the_source_of_what_is_lacking_stays_the_same():
    def found(**info):
        return {
            "metadata": {"name": "x", "version": "1"},
            "is_direct": bool(info),
            "download_info": info,
        }

    assert pin(found()) == "x==1"
    assert pin(found(url="https://example.org/x.whl")) == "x @ https://example.org/x.whl"
    vcs = {"vcs": "git", "commit_id": "abc"}
    assert (
        pin(found(url="https://example.org/x", vcs_info=vcs)) == "x @ git+https://example.org/x@abc"
    )


def test_a_start_looks_again_after_packages_were_changed(
    requirements: Requirements, tmp_path: Path, python: Path
):
    stamp = python.parents[1] / ".installed-requirements.txt"
    stamp.write_text("")
    install(requirements, tmp_path, "changed==1\n")
    assert not stamp.exists()


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
