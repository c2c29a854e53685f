"""Which lines of a failed program's output are told to people."""

import subprocess
import sys
from pathlib import Path

import pytest

from deployhooks.last_words import find_last_words


def run(tmp_path: Path, code: str) -> str:
    (tmp_path / "program.py").write_text(code)
    args = [sys.executable, "program.py"]
    done = subprocess.run(args, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def (:", ["program.py", "line 1", "def (:", "SyntaxError: invalid syntax"]),
        ("import missing_package", ["line 1", "No module named 'missing_package'"]),
        ("try: 1 / 0\nexcept Exception: undefined", ["NameError"]),
    ],
)
def test_the_end_of_the_last_traceback_is_told(tmp_path, code, words):
    said = find_last_words(run(tmp_path, code))
    for word in words:
        assert word in said
    assert "^" not in said
    assert "ZeroDivisionError" not in said


def test_what_is_logged_after_a_traceback_is_left_out():
    output = 'Traceback (most recent call last):\n  File "a.py"\nValueError: no\n[INFO] Bye\n'
    assert find_last_words(output) == 'File "a.py" / ValueError: no'


def test_without_a_traceback_the_last_lines_are_told():
    assert find_last_words("one\n\ntwo\nthree\nfour\nfive\nsix\n") == (
        "two / three / four / five / six"
    )


def test_silence_is_empty():
    assert find_last_words("") == ""
