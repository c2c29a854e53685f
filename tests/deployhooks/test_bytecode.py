"""Byte code of the live tree: kept, and never that of what a file held before."""

import os
import py_compile
import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from deployhooks import bytecode
from tests.disks import filled, small_disk

TIME = 1_700_000_000


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree of the project with two modules in an app of its own."""
    app = tmp_path / "tree" / "posts"
    app.mkdir(parents=True)
    (app / "__init__.py").touch()
    write(app / "views.py", "print('old')\n")
    return app.parent


def write(path: Path, text: str) -> None:
    """As a checkout that moves twice within a second: the file's time stays."""
    path.write_text(text)
    os.utime(path, (TIME, TIME))


def run(tree: Path) -> str:
    command = [sys.executable, "-v", "-c", "import posts.views"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True)
    is_taken = f"# {cached(tree / 'posts' / 'views.py')} matches" in done.stderr
    return done.stdout.strip() + (" from byte code" if is_taken else "")


def cached(source: Path) -> Path:
    return Path(cache_from_source(str(source)))


def test_byte_code_is_taken_and_never_that_of_the_file_before(tree: Path):
    assert run(tree) == "old"
    assert bytecode.compile_project(tree) == 2
    assert run(tree) == "old from byte code"
    write(tree / "posts" / "views.py", "print('new')\n")
    assert run(tree) == "new"
    assert bytecode.compile_project(tree) == 1
    assert run(tree) == "new from byte code"
    assert bytecode.compile_project(tree) == 0


def test_byte_code_that_goes_by_time_is_replaced(tree: Path):
    source = tree / "posts" / "views.py"
    py_compile.compile(str(source))
    write(source, "print('new')\n")
    assert run(tree) == "old from byte code"  # what this is all about
    bytecode.compile_project(tree)
    assert run(tree) == "new from byte code"


def test_what_cannot_be_compiled_or_written_stays_without(tree: Path, caplog):
    broken = tree / "posts" / "broken.py"
    broken.write_text("def (:\n")
    (tree / "posts" / "nul.py").write_bytes(b"\0")
    (tree / "posts" / "deep.py").write_text("x = " + "-" * 100_000 + "1\n")
    os.mkfifo(tree / "posts" / "pipe.py")
    cached(tree / "posts" / "views.py").mkdir(parents=True)  # where its byte code would be
    (cached(broken).parent / "odd.draft").mkdir()
    caplog.set_level("INFO")
    assert bytecode.compile_project(tree) == 1
    assert "4 files have no byte code, among them" in caplog.text
    assert not cached(broken).exists()
    assert sorted(path.name for path in cached(broken).parent.iterdir()) == [
        f"__init__.{sys.implementation.cache_tag}.pyc",
        "odd.draft",
        f"views.{sys.implementation.cache_tag}.pyc",
    ]
    assert run(tree) == "old"


def test_a_full_disk_leaves_no_half_byte_code(tmp_path: Path):
    with small_disk(tmp_path / "disk", 1) as is_small:
        if not is_small:
            pytest.skip("only root can mount a small disk")
        app = tmp_path / "disk" / "posts"
        app.mkdir()
        (app / "__init__.py").touch()
        (app / "views.py").write_text("print('old')\n" + "x = 1\n" * 20_000)
        (app / "__pycache__").mkdir()
        spare = app / "spare"
        spare.write_bytes(b"x" * 8192)
        with filled(tmp_path / "disk"):
            spare.unlink()
            assert bytecode.compile_project(app.parent) == 1  # the small one
            assert run(app.parent) == "old"
        assert bytecode.compile_project(app.parent) == 1
        assert run(app.parent) == "old from byte code"


def test_byte_code_that_was_cut_short_is_made_anew(tree: Path):
    bytecode.compile_project(tree)
    file = cached(tree / "posts" / "views.py")
    whole = file.read_bytes()
    for odd in (whole[:40], whole[:16] + b"N"):
        file.write_bytes(odd)
        file.with_suffix(".1.draft").touch()
        bytecode.compile_project(tree)
        assert run(tree) == "old from byte code"
        assert len(list(file.parent.iterdir())) == 2


def test_a_package_that_is_gone_is_gone(tree: Path):
    package = tree / "posts" / "plugin"
    files = [package / "__init__.py", package / "V1" / "__init__.py", package / "a" / "b" / "c.py"]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    bytecode.compile_project(tree)
    for file in files:
        file.unlink()
    bytecode.compile_project(tree)
    assert not package.exists()
    assert run(tree) == "old from byte code"


def test_another_tree_takes_the_byte_code_of_the_same_files_alone(tree: Path, tmp_path: Path):
    other = tmp_path / "other" / "posts"
    other.mkdir(parents=True)
    write(other / "views.py", "print('old')\n")
    (tree / "posts" / "gone.py").touch()
    bytecode.compile_project(tree)
    bytecode.lend_byte_code(tree, other.parent)
    assert run(other.parent) == "old from byte code"
    assert not cached(other / "gone.py").exists()
    cached(other / "views.py").unlink()
    cached(other / "views.py").mkdir()  # it only saves time
    bytecode.lend_byte_code(tree, other.parent)
    write(other / "views.py", "print('new')\n")
    assert run(other.parent) == "new"


def test_the_apps_of_libraries_in_the_projects_folder_are_left_alone(settings):
    project = settings.BASE_DIR
    settings.BASE_DIR = Path("/")
    found = list(bytecode.find_sources(Path("/")))
    assert project / "posts" / "views.py" in found
    assert not [path for path in found if path.is_relative_to(sys.prefix)]
