from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployhooks.signatures import (
    InvalidSignature,
    Signed,
    check_signature,
    read_secrets,
    sign,
)

BODY = b"Hello, World!"
SECRET = b"It's a Secret to Everybody"
VECTOR = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def check(sha256: str | None = None, sha1: str | None = None, secrets=(SECRET,), body=BODY):
    return check_signature(body, secrets, sha256=sha256, sha1=sha1)


def test_the_vector_of_github_s_documentation_is_right():
    assert check(VECTOR) == Signed("sha256", 1)


def test_sha1_counts_when_there_is_nothing_better():
    assert check(sha1=sign(BODY, SECRET, "sha1")) == Signed("sha1", 1)


def test_a_right_sha1_does_not_make_up_for_a_wrong_sha256():
    with pytest.raises(InvalidSignature):
        check("sha256=" + "0" * 64, sha1=sign(BODY, SECRET, "sha1"))
    with pytest.raises(InvalidSignature):
        check("", sha1=sign(BODY, SECRET, "sha1"))


def test_the_secret_that_matched_is_named():
    assert check(VECTOR, secrets=(b"new", b"newer", SECRET)) == Signed("sha256", 3)


@pytest.mark.parametrize(
    "wrong",
    [
        VECTOR.upper(),
        VECTOR.replace("sha256=", "SHA256="),
        VECTOR.removeprefix("sha256="),
        VECTOR.replace("sha256=", "sha1="),
        VECTOR + " ",
        VECTOR[:-1],
        VECTOR.replace("7", "７"),
        "sha256=é",
        "sha256=\udc80",
        "\x00",
    ],
)
def test_only_what_github_writes_is_a_signature(wrong: str):
    with pytest.raises(InvalidSignature, match="does not match"):
        check(wrong)


def test_a_missing_signature_is_told_apart_from_a_wrong_one():
    with pytest.raises(InvalidSignature, match="not signed"):
        check()


def test_no_message_holds_the_secret_or_the_right_signature():
    with pytest.raises(InvalidSignature) as caught:
        check("sha256=0")
    assert SECRET.decode() not in str(caught.value)
    assert VECTOR not in str(caught.value)


def test_secrets_are_the_lines_of_the_file_and_then_the_variable(tmp_path: Path):
    file = tmp_path / "secret.txt"
    file.write_bytes("\ufeffnew \t\r\n\r\n   \n älter\nlast".encode())

    assert read_secrets(file, "variable\n") == (b"new", " älter".encode(), b"last", b"variable")


def test_without_file_and_variable_there_is_no_secret(tmp_path: Path):
    assert read_secrets(tmp_path / "secret.txt", "") == ()
    assert read_secrets(tmp_path / "secret.txt", " \n") == ()


def test_a_secret_file_that_cannot_be_read_is_an_error(tmp_path: Path):
    with pytest.raises(OSError, match="directory"):
        read_secrets(tmp_path, "variable")


@given(st.binary(), st.text(), st.none() | st.text(), st.lists(st.binary(), max_size=3))
def test_whatever_comes_it_is_an_invalid_signature(body, sha256, sha1, secrets):
    with pytest.raises(InvalidSignature):
        check_signature(body, secrets, sha256=sha256, sha1=sha1)


@given(st.binary(), st.binary(min_size=1), st.sampled_from(["sha256", "sha1"]))
def test_whatever_is_signed_it_is_recognised(body, secret, algorithm):
    given_headers = {"sha256": None, "sha1": None, algorithm: sign(body, secret, algorithm)}

    assert check_signature(body, [secret], **given_headers) == Signed(algorithm, 1)
