"""What the webhook's address answers, and in which order it looks for faults."""

import json
import socket
import time
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from deployhooks import body as body_module
from deployhooks.body import discard_body, read_body
from deployhooks.models import Delivery, Refusal
from deployhooks.refusals import Refused
from deployhooks.signatures import sign
from tests.deployhooks.hooks import OLD_SECRET, SECRET, make_headers, make_push, send, use_site

pytestmark = pytest.mark.django_db
MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def site(settings, tmp_path: Path) -> Path:
    return use_site(settings, tmp_path)


def assert_refused(response, status: int, *words: str) -> None:
    answer = response.json()
    assert response.status_code == status, answer
    assert answer.keys() == {"delivery", "outcome", "reason", "deploy"}
    assert (answer["outcome"], answer["deploy"]) == ("refused", None)
    for word in words:
        assert word in answer["reason"]
    assert not Delivery.objects.exists()
    refusal = Refusal.objects.get()
    assert (refusal.status, refusal.reason) == (status, answer["reason"])


@pytest.mark.parametrize("path", ["/hooks/github", "/hooks/github/"])
@pytest.mark.parametrize("site_url", ["http", "https"])
def test_both_spellings_answer_without_a_redirect(path: str, site_url: str, settings):
    settings.SECURE_SSL_REDIRECT = site_url == "https"

    assert send(path=path).status_code == 202
    assert Client().get(path).status_code == 200
    assert Client().head(path).status_code == 200


def test_get_says_what_the_address_is_for():
    response = Client().get("/hooks/github/")

    assert "GitHub" in response.json()["detail"]
    assert not Refusal.objects.exists()


def test_a_form_is_taken_and_signed_as_sent():
    body = urlencode({"payload": json.dumps(make_push())}).encode()

    assert send(body=body, content_type="application/x-www-form-urlencoded").status_code == 202


def test_parameters_of_the_content_type_do_not_matter():
    assert send(content_type="Application/JSON; charset=utf-8").status_code == 202


def test_no_csrf_token_is_asked_for():
    body = json.dumps(make_push()).encode()
    response = Client(enforce_csrf_checks=True).post(
        "/hooks/github/", body, content_type="application/json", headers=make_headers(body)
    )

    assert response.status_code == 202


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_are_refused_with_those_allowed(method: str):
    response = Client().generic(method, "/hooks/github/")

    assert_refused(response, 405, method)
    assert response["Allow"] == "GET, HEAD, POST"


def test_a_body_of_24_mib_is_accepted():
    push = make_push(filling="x" * (24 * MIB))

    assert send(push).status_code == 202
    assert len(Delivery.objects.get().payload) > 24 * MIB


class NoReading:
    """A body that must not be looked at."""

    readline = None

    def read(self, *args: object) -> bytes:
        raise AssertionError("the body was read")


def test_a_body_over_25_mib_is_refused_unread():
    for length in (25 * MIB + 1, 26 * MIB, 10**30):
        response = Client().generic(
            "POST",
            "/hooks/github/",
            content_type="application/json",
            **{"CONTENT_LENGTH": str(length), "wsgi.input": NoReading()},
        )

        assert_refused(response, 413, "25 MiB")
        Refusal.objects.all().delete()


@pytest.mark.parametrize("length", ["", "-1", "1e3", "٣", "0x10", "12,12"])
def test_a_body_of_unknown_length_is_refused(length: str):
    response = Client().generic(
        "POST", "/hooks/github/", content_type="application/json", CONTENT_LENGTH=length
    )

    assert_refused(response, 411, "Content-Length")


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "multipart/form-data; boundary=x", "application/jsonp"]
)
def test_other_content_types_are_refused(content_type: str):
    assert_refused(send(content_type=content_type), 415, "application/json")


def test_without_a_secret_nothing_is_accepted(settings):
    settings.GITHUB_WEBHOOK_SECRET_FILE.write_text("\n  \n")

    assert_refused(send(), 500, "secret.txt", "GITHUB_WEBHOOK_SECRET")


def test_a_secret_file_that_cannot_be_read_is_told(settings):
    settings.GITHUB_WEBHOOK_SECRET_FILE.unlink()
    settings.GITHUB_WEBHOOK_SECRET_FILE.mkdir()

    assert_refused(send(), 500, "secret.txt cannot be read")


def test_a_secret_without_a_file_is_enough(settings):
    settings.GITHUB_WEBHOOK_SECRET_FILE.unlink()
    settings.GITHUB_WEBHOOK_SECRET = SECRET.decode()

    assert send().status_code == 202


def test_secrets_are_rotated_without_a_restart(settings):
    file = settings.GITHUB_WEBHOOK_SECRET_FILE
    body = json.dumps(make_push()).encode()

    def send_signed(secret: bytes) -> int:
        return send(body=body, X_Hub_Signature_256=sign(body, secret)).status_code

    assert [send_signed(SECRET), send_signed(OLD_SECRET), send_signed(b"newest")] == [202, 202, 403]
    file.write_bytes(b"newest\n" + SECRET + b"\n")
    assert [send_signed(SECRET), send_signed(OLD_SECRET), send_signed(b"newest")] == [202, 403, 202]


@pytest.mark.parametrize(
    "signatures",
    [
        {"X_Hub_Signature_256": None, "X_Hub_Signature": None},
        {"X_Hub_Signature_256": "sha256=" + "0" * 64},
        {"X_Hub_Signature_256": ""},
        {"X_Hub_Signature_256": "sha256=é\xff"},
        {"X_Hub_Signature_256": None, "X_Hub_Signature": "sha1=" + "0" * 40},
    ],
)
def test_a_wrong_or_missing_signature_is_refused(signatures: dict):
    assert_refused(send(**signatures), 403, "GitHub")


def test_a_changed_body_is_refused():
    signed = json.dumps(make_push()).encode()
    headers = {"X_Hub_Signature_256": sign(signed, SECRET)}

    assert_refused(send(body=signed + b" ", **headers), 403)


@pytest.mark.parametrize("header", ["X_GitHub_Delivery", "X_GitHub_Event"])
@pytest.mark.parametrize("value", [None, "", "  ", "x" * 101, "a\x85b", "a\x00b"])
def test_a_delivery_must_have_its_headers(header: str, value: str | None):
    assert_refused(send(**{header: value}), 400, header.replace("_", "-"))


@pytest.mark.parametrize("value", ["x" * 101, "a\x00b"])
def test_a_hook_id_that_is_none_is_refused(value: str):
    assert_refused(send(X_GitHub_Hook_ID=value), 400, "X-GitHub-Hook-ID")


def test_names_of_100_characters_are_taken():
    longest = dict.fromkeys(("X_GitHub_Delivery", "X_GitHub_Hook_ID"), "x" * 100)

    assert send(**longest, X_GitHub_Event="y" * 100).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b" ", b"{", b"[]", b"\xff", b'{"ref": 1}', b'{"ref": NaN}', b"[" * 100_000, b"{}"],
)
def test_a_payload_that_is_none_is_refused(body: bytes):
    assert_refused(send(body=body), 400)


def test_a_body_cut_short_is_refused():
    response = Client().generic(
        "POST",
        "/hooks/github/",
        b"{}",
        content_type="application/json",
        headers=make_headers(b"{}"),
        **{"CONTENT_LENGTH": "200", "wsgi.input": BytesIO(b"{}")},
    )

    assert_refused(response, 400, "cut short")


def test_the_order_of_checks_is_fixed(settings):
    """Mended one by one, each fault gives way to the next."""
    body = b"{"
    request = {
        "method": "PUT",
        "path": "/hooks/github/",
        "data": body,
        "content_type": "text/plain",
        "CONTENT_LENGTH": str(26 * MIB),
    }
    settings.GITHUB_WEBHOOK_SECRET_FILE.write_text("")
    seen = []

    def ask(**headers: str) -> None:
        seen.append(Client().generic(**request, headers=headers).status_code)

    ask()
    request["method"] = "POST"
    ask()
    request["CONTENT_LENGTH"] = "1"
    ask()
    request["content_type"] = "application/json"
    ask()
    settings.GITHUB_WEBHOOK_SECRET_FILE.write_bytes(SECRET)
    ask()
    signature = {"X-Hub-Signature-256": sign(body, SECRET)}
    ask(**signature)
    assert "X-GitHub-Delivery" in Refusal.objects.first().reason
    ask(**signature, **{"X-GitHub-Delivery": "1", "X-GitHub-Event": "push"})
    assert "JSON" in Refusal.objects.first().reason

    assert seen == [405, 413, 415, 500, 403, 400, 400]


def test_the_guid_is_told_back_with_a_refusal():
    assert send(X_GitHub_Delivery="g-1", X_GitHub_Event=None).json()["delivery"] == "g-1"
    assert send(X_GitHub_Delivery=None).json()["delivery"] is None


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("", "", None),
        ("fe80::1%eth0", "", "fe80::1"),
        ("::ffff:203.0.113.7", "", "203.0.113.7"),
    ],
)
def test_only_a_proxy_on_this_machine_says_who_sends(
    peer: str, forwarded: str, address: str | None
):
    body = json.dumps(make_push()).encode()
    headers = make_headers(body, X_Forwarded_For=forwarded)
    Client().post("/hooks/github/", body, "application/json", headers=headers, REMOTE_ADDR=peer)

    assert Delivery.objects.get().remote_address == address


def test_a_host_that_is_not_allowed_gets_no_traceback(settings):
    settings.ALLOWED_HOSTS = ["blog.example.org"]
    response = Client().post("/hooks/github/", b"{}", "application/json")

    assert response.status_code == 400
    assert b"Traceback" not in response.content


HEADER_TEXT = st.text(st.characters(max_codepoint=255), max_size=120)


@given(
    body=st.binary(max_size=50) | st.sampled_from([b"{}", json.dumps(make_push()).encode()]),
    headers=st.dictionaries(
        st.sampled_from(["X_GitHub_Delivery", "X_GitHub_Event", "X_GitHub_Hook_ID", "X_Other"]),
        HEADER_TEXT,
    ),
    signature=st.none() | HEADER_TEXT,
)
@hypothesis_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_request_is_answered_with_a_fault_of_the_server(body, headers, signature):
    if signature is not None:
        headers = {**headers, "X_Hub_Signature_256": signature}

    response = send(body=body, **headers)

    assert response.status_code < 500
    assert response.json()["outcome"]


# --- reading and throwing away ------------------------------------------------------------------


def make_request(reader: socket.socket, length: int) -> HttpRequest:
    """A request as gunicorn makes it, whose body comes through a real socket."""
    return RequestFactory().generic(
        "POST",
        "/",
        content_type="application/json",
        **{
            "CONTENT_LENGTH": str(length),
            "gunicorn.socket": reader,
            "wsgi.input": reader.makefile("rb"),
        },
    )


@pytest.fixture
def pair():
    writer, reader = socket.socketpair()
    with writer, reader:
        yield writer, reader


def test_a_client_that_stalls_is_not_waited_for(pair, monkeypatch):
    monkeypatch.setattr(body_module, "READ_SECONDS", 0.3)
    writer, reader = pair
    writer.sendall(b"x" * 50)
    began = time.monotonic()

    with pytest.raises(Refused, match="50 of 100 bytes") as caught:
        read_body(make_request(reader, 100), 100)

    assert caught.value.status == 400
    assert time.monotonic() - began < 5


def test_throwing_away_ends_in_time(pair, monkeypatch):
    monkeypatch.setattr(body_module, "DISCARD_SECONDS", 0.3)
    writer, reader = pair
    writer.sendall(b"x" * 50)
    began = time.monotonic()

    discard_body(make_request(reader, 100))

    assert time.monotonic() - began < 5


def test_throwing_away_is_bounded_in_bytes(pair, monkeypatch):
    monkeypatch.setattr(body_module, "MAX_DISCARDED", 1000)
    monkeypatch.setattr(body_module, "PIECE", 100)
    writer, reader = pair
    writer.sendall(b"x" * 5000)
    request = make_request(reader, 5000)

    discard_body(request)

    assert len(request.META["wsgi.input"].read(4000)) == 4000
