import json
from pathlib import Path
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployhooks.payloads import FORM_TYPE, JSON_TYPE, InvalidPayload, parse_payload, storable
from tests.deployhooks.hooks import TIP, make_push


def parse(payload, event="push", content_type=JSON_TYPE):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return parse_payload(event, body, content_type)


def test_a_push_tells_what_a_deploy_needs():
    payload = parse(make_push(head_commit={"message": "茶"}))

    assert payload.branch == "main"
    assert payload.tag is None
    assert payload.full_name == "acme/site"
    assert "git@github.com:acme/site.git" in payload.urls
    assert (payload.after, payload.pusher, payload.head_message) == (TIP, "octocat", "茶")
    assert not payload.is_deletion
    assert payload.skip_marker == ""


def test_a_form_says_the_same_as_json():
    push = make_push(head_commit={"message": "茶 & +tea%"})
    form = urlencode({"payload": json.dumps(push, ensure_ascii=False)}).encode()

    assert parse(form, content_type=FORM_TYPE) == parse(push)


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"payload",
        b"payload=",
        b"other={}",
        b"payload={}&payload={}",
        b"payload=%ff",
        b"payload=\xff",
        b"&".join([b"a=1"] * 101),
    ],
)
def test_a_form_without_one_payload_is_invalid(form: bytes):
    with pytest.raises(InvalidPayload):
        parse(form, "ping", FORM_TYPE)


def test_the_branch_keeps_its_slashes():
    assert parse(make_push(ref="refs/heads/feature/tea")).branch == "feature/tea"


def test_a_tag_is_no_branch():
    payload = parse(make_push(ref="refs/tags/v1"))

    assert (payload.branch, payload.tag) == (None, "v1")


@pytest.mark.parametrize("how", [{"deleted": True}, {"after": "0" * 40}])
def test_a_deletion_is_told_by_its_flag_or_by_the_zeros(how: dict):
    assert parse(make_push(head_commit=None, **how)).is_deletion


@pytest.mark.parametrize(
    ("message", "marker"),
    [
        ("Fix\n\n[skip deploy]", "[skip deploy]"),
        ("[skip cd] typo", "[skip cd]"),
        ("[Skip CD] typo", "[Skip CD]"),
        ("[skip ci]", ""),
        ("skip deploy", ""),
    ],
)
def test_a_skip_marker_is_found_in_the_message(message: str, marker: str):
    assert parse(make_push(head_commit={"message": message})).skip_marker == marker


@pytest.mark.parametrize(
    "wrong",
    [
        {"ref": 1},
        {"ref": None},
        {"ref": ""},
        {"ref": ["refs/heads/main"]},
        {"before": 0},
        {"after": {}},
        {"deleted": "no"},
        {"deleted": 0},
        {"repository": None},
        {"repository": {}},
        {"repository": "acme/site"},
        {"repository": ["acme/site"]},
        {"repository": {"full_name": 7}},
        {"repository": {"full_name": "acme/site", "clone_url": {}}},
        {"pusher": "octocat"},
        {"pusher": {"name": []}},
        {"commits": 5},
        {"head_commit": []},
        {"head_commit": {"message": 1}},
        {"action": 1},
    ],
)
def test_wrong_field_types_are_named(wrong: dict):
    with pytest.raises(InvalidPayload, match=next(iter(wrong)).removesuffix("_commit")):
        parse(make_push(**wrong))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"{} {}", "not JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a": "\x00"}', "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"[]", "not an object"),
        (b"null", "not an object"),
        (b'"push"', "not an object"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "1e999"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too long"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too deeply"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "too deeply"),
    ],
)
def test_what_is_no_json_object_is_invalid_and_says_why(body: bytes, message: str):
    with pytest.raises(InvalidPayload, match=message):
        parse(body)


def test_nul_and_lone_surrogates_are_data():
    payload = parse(b'{"action": "a\\u0000b\\ud800c", "x": "\\u8336 \xe8\x8c\xb6"}', "star")

    assert payload.action == "a\x00b\ud800c"
    assert storable(payload.action, 100) == "a\ufffdb\ufffdc"
    assert payload.text.isascii()
    assert json.loads(payload.text)["x"] == "茶 茶"


def test_what_does_not_fit_is_cut():
    assert storable("茶" * 300, 255) == "茶" * 255


@pytest.mark.parametrize("event", ["create", "issues", "star", "ping", "anything"])
def test_other_events_need_not_look_like_a_push(event: str):
    payload = parse({"ref": None, "repository": None, "head_commit": 7, "action": None}, event)

    assert (payload.ref, payload.full_name, payload.urls) == ("", "", ())


def test_github_s_own_payloads_are_understood(shared: Path):
    files = sorted((shared / "payloads").glob("*.payload.json"))
    assert files
    for file in files:
        event = file.name.partition(".")[0]
        body = file.read_bytes()
        form = b"payload=" + quote_plus(body).encode()

        payload = parse(body, event)

        assert "/" in payload.full_name, file
        assert parse(form, event, FORM_TYPE) == payload


def test_github_s_own_pushes_are_told_apart(shared: Path):
    folder = shared / "payloads"
    first = parse((folder / "push.with-new-branch.payload.json").read_bytes())
    tag = parse((folder / "push.payload.json").read_bytes())

    assert (first.branch, first.is_deletion, first.head_message) == (
        "master",
        False,
        "Initial commit",
    )
    assert (tag.tag, tag.is_deletion, tag.pusher) == ("simple-tag", True, "Codertocat")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
KEYS = ["ref", "before", "after", "deleted", "repository", "pusher", "head_commit", "action"]
INNER = ["full_name", "clone_url", "ssh_url", "name", "message"]
OBJECT = st.dictionaries(st.sampled_from(INNER), JSON)
PUSHES = st.dictionaries(st.sampled_from(KEYS), JSON | OBJECT, max_size=8).map(
    lambda changes: make_push(**changes)
)
EVENTS = st.sampled_from(["push", "ping", "star"])


@given(EVENTS, PUSHES, st.booleans())
@settings(max_examples=300)
def test_any_json_is_a_payload_or_invalid(event, push, ensure_ascii):
    text = json.dumps(push, ensure_ascii=ensure_ascii)
    try:
        payload = parse(text.encode("utf-8", "surrogatepass"), event)
    except InvalidPayload as error:
        assert str(error)
    else:
        assert payload.text.isascii()
        for value in (payload.ref, payload.after, payload.full_name, payload.head_message):
            stored = storable(value, 40)
            assert len(stored) <= 40
            assert "\x00" not in stored
            stored.encode()


@given(
    EVENTS,
    st.binary()
    | st.text().map(
        lambda text: b"payload=" + quote_plus(text.encode("utf-8", "replace")).encode()
    ),
    st.sampled_from([JSON_TYPE, FORM_TYPE]),
)
def test_any_bytes_are_a_payload_or_invalid(event, body, content_type):
    try:
        parse(body, event, content_type)
    except InvalidPayload as error:
        assert str(error)
