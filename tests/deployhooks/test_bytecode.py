"""Byte code of the live tree: kept, and never that of what a file held before."""

import os
import py_compile
import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from deployhooks import bytecode

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
    cached(tree / "posts" / "views.py").mkdir(parents=True)  # where its byte code would be
    caplog.set_level("INFO")
    bytecode.compile_project(tree)
    assert not cached(broken).exists()
    for name in ("broken.py", "nul.py", "views.py"):
        assert f"no byte code for {tree / 'posts' / name}" in caplog.text
    assert run(tree) == "old"


def test_another_tree_takes_the_byte_code_of_the_same_files_alone(tree: Path, tmp_path: Path):
    other = tmp_path / "other" / "posts"
    other.mkdir(parents=True)
    write(other / "views.py", "print('old')\n")
    (tree / "posts" / "gone.py").touch()
    bytecode.compile_project(tree)
    bytecode.lend_byte_code(tree, other.parent)
    assert run(other.parent) == "old from byte code"
    assert not cached(other / "gone.py").exists()
    write(other / "views.py", "print('new')\n")
    assert run(other.parent) == "new"


def test_the_apps_of_libraries_in_the_projects_folder_are_left_alone(settings):
    project = settings.BASE_DIR
    settings.BASE_DIR = Path("/")
    found = list(bytecode.find_sources(Path("/")))
    assert project / "posts" / "views.py" in found
    assert not [path for path in found if path.is_relative_to(sys.prefix)]
