"""Secrets never come through, wherever the text is cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployhooks.redaction import LONGEST_LINE, RedactedStream, Redactor, configured_redactor

TOKEN = "ghp_" + "a1B2" * 9
KEY = """-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXk
AAAA==
-----END OPENSSH PRIVATE KEY-----"""


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("push with hunter2!", "push with [removed]!"),
        ("https://me:pw@example.org/x.git", "https://[removed]@example.org/x.git"),
        ("https://token@example.org/x.git", "https://[removed]@example.org/x.git"),
        ("https://me:p@ss@example.org/x", "https://[removed]@example.org/x"),
        ("ssh://git@example.org/x", "ssh://git@example.org/x"),
        ("ssh://me@example.org/x", "ssh://[removed]@example.org/x"),
        ("https://example.org/@me", "https://example.org/@me"),
        ("git@example.org:me/site.git", "git@example.org:me/site.git"),
        (f"remote: {TOKEN} is old", "remote: [removed] is old"),
        ("github_pat_" + "a" * 60, "[removed]"),
        ("glpat-" + "x" * 20 + " ", "[removed] "),
        ("Authorization: Basic Zm9v", "Authorization: [removed]"),
        ("> authorization: Bearer abc\nnext", "> authorization: [removed]\nnext"),
        (f"before\n{KEY}\nafter", "before\n[removed]\nafter"),
        (KEY[:60], "[removed]"),
        ("中文 1a2b3c4 -> 5d6e7f8 on main", "中文 1a2b3c4 -> 5d6e7f8 on main"),
    ],
)
def test_secrets_are_removed_and_nothing_else(text, cleaned):
    assert Redactor(["hunter2"]).clean(text) == cleaned


def test_a_secret_with_special_characters_is_removed_in_addresses_too():
    cleaned = Redactor(["p/w d"]).clean("x=p/w d y=p%2Fw%20d")

    assert cleaned == "x=[removed] y=[removed]"


def test_of_two_secrets_with_one_beginning_the_longer_goes_whole():
    assert Redactor(["hunter", "hunter2"]).clean("hunter2") == "[removed]"


def test_every_line_of_a_secret_file_counts_and_blank_ones_do_not():
    assert Redactor(["first-one\n\n  second-one \n"]).clean("second-one first-one a b") == (
        "[removed] [removed] a b"
    )


def test_a_secret_of_two_letters_does_not_spoil_every_sentence():
    assert Redactor(["th", ""]).clean("the thing") == "the thing"


@given(st.lists(st.integers(0, 600), max_size=8), st.sampled_from([" ", "\n", "x\n", ""]))
def test_pieces_are_as_clean_as_the_whole(cuts, between):
    redactor = Redactor(["hunter2"])
    text = between.join(
        ["hunter2", "https://me:hunter2@x.org/", TOKEN, "Authorization: a b", KEY, "\nend"]
    )
    stream = RedactedStream(redactor)
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]

    pieces = [stream.feed(text[a:b]) for a, b in itertools.pairwise(places)]

    assert "".join(pieces) + stream.close() == redactor.clean(text)


@pytest.mark.parametrize("offset", range(0, 60, 7))
def test_a_secret_in_an_endless_line_is_removed_wherever_the_line_is_cut(offset):
    redactor = Redactor(["hunter2" * 3])
    stream = RedactedStream(redactor)
    text = ("." * (LONGEST_LINE - 30 + offset) + "hunter2" * 3) * 4 + TOKEN

    cleaned = "".join(stream.feed(text[n : n + 1000]) for n in range(0, len(text), 1000))

    assert "hunter2" not in cleaned + stream.close()


def test_an_endless_line_is_not_held_back_for_ever():
    stream = RedactedStream(Redactor())

    assert stream.feed("." * 10 * LONGEST_LINE)


def test_whole_lines_are_passed_on_at_once():
    stream = RedactedStream(Redactor())

    assert stream.feed("one\ntwo") == "one\n"
    assert stream.close() == "two"


def test_configured_secrets_are_known(settings, tmp_path, monkeypatch):
    settings.GITHUB_WEBHOOK_SECRET_FILE = tmp_path / "secret.txt"
    settings.GITHUB_WEBHOOK_SECRET_FILE.write_text("newest-one\nolder-one\n")
    settings.GITHUB_WEBHOOK_SECRET = "from-variable"
    settings.SECRET_KEY = "key-of-django"
    monkeypatch.setenv("MAIL_API_TOKEN", "from-environment")

    cleaned = configured_redactor().clean(
        "newest-one older-one from-variable key-of-django from-environment"
    )

    assert cleaned == " ".join(["[removed]"] * 5)


def test_a_missing_secret_file_is_no_trouble(settings, tmp_path):
    settings.GITHUB_WEBHOOK_SECRET_FILE = tmp_path / "secret.txt"

    assert configured_redactor().clean("text") == "text"


@pytest.mark.parametrize(
    "text",
    [
        "https://ada:to'kSECRET@h/x",
        'https://ada:to"kSECRET@h/x',
        "https://h/x?access_token=SECRET&y=1",
        "https://h/x?y=1&token=SECRET",
    ],
)
def test_no_spelling_of_a_credential_in_an_address_is_let_through(text):
    cleaned = Redactor().clean(f"fatal: unable to access '{text}': 403")
    assert "SECRET" not in cleaned
    assert cleaned.startswith("fatal: unable to access 'https://")
