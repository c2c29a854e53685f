"""The webhook's address: checks a request in a fixed order and answers what was done about it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from deployhooks.body import discard_body, read_body, read_length
from deployhooks.clients import read_address
from deployhooks.models import Delivery
from deployhooks.payloads import FORM_TYPE, JSON_TYPE, InvalidPayload, parse_payload, storable
from deployhooks.reception import Received, Verdict, receive
from deployhooks.refusals import Refused, keep_refusal
from deployhooks.signatures import InvalidSignature, Signed, check_signature, read_secrets

ALLOWED_METHODS = "GET, HEAD, POST"
MAX_HEADER = 100
SECRET_WORDS = ("authorization", "cookie", "key", "password", "secret", "signature", "token")

HELP = {
    "status": "ok",
    "detail": (
        "GitHub posts its push events here. In the repository's settings, under Webhooks, enter "
        "this address as payload URL, the secret of this site, and only the push event."
    ),
    "methods": ALLOWED_METHODS,
    "content_types": [JSON_TYPE, FORM_TYPE],
}


class Answer(JsonResponse):
    """A verdict as JSON; of a refused request, the body not yet read is thrown away afterwards."""

    def __init__(self, verdict: Verdict, *, unread: HttpRequest | None = None, **kwargs: Any):
        super().__init__(asdict(verdict), **kwargs)
        self._unread = unread

    def close(self) -> None:
        if self._unread:
            discard_body(self._unread)
        super().close()


@csrf_exempt
@never_cache
def github(request: HttpRequest) -> HttpResponseBase:
    if request.method == "HEAD":
        return HttpResponse(content_type=JSON_TYPE)
    if request.method == "GET":
        return JsonResponse(HELP)
    try:
        verdict = receive(_check(request))
    except Refused as refused:
        keep_refusal(refused, read_address(request), _read_headers(request))
        guid = storable(request.headers.get("X-GitHub-Delivery", ""), MAX_HEADER) or None
        verdict = Verdict(guid, Delivery.Outcome.REFUSED, refused.reason)
        headers = dict(refused.headers)
        return Answer(verdict, unread=request, status=refused.status, headers=headers)
    return Answer(verdict, status=verdict.status)


def _check(request: HttpRequest) -> Received:
    """Everything that can be wrong with a request, in the order in which it is told."""
    if request.method != "POST":
        message = f"Only {ALLOWED_METHODS} are answered here, not {request.method}."
        raise Refused(405, storable(message, 200), {"Allow": ALLOWED_METHODS})
    length = read_length(request.META.get("CONTENT_LENGTH", ""))
    content_type = request.content_type or ""
    if content_type not in (JSON_TYPE, FORM_TYPE):
        given = storable(content_type, 100) or "missing"
        raise Refused(415, f"The content type must be {JSON_TYPE} or {FORM_TYPE}; it is {given}.")
    secrets = _find_secrets()
    body = read_body(request, length)
    signed = _check_signature(request, body, secrets)
    guid = _read_name(request, "X-GitHub-Delivery")
    event = _read_name(request, "X-GitHub-Event")
    hook_id = _read_name(request, "X-GitHub-Hook-ID", default="")
    try:
        payload = parse_payload(event, body, content_type)
    except InvalidPayload as error:
        raise Refused(400, str(error)) from error
    headers, address = _read_headers(request), read_address(request)
    return Received(hook_id, guid, event, payload, signed, headers, address)


def _find_secrets() -> tuple[bytes, ...]:
    file = settings.GITHUB_WEBHOOK_SECRET_FILE
    try:
        secrets = read_secrets(file, settings.GITHUB_WEBHOOK_SECRET)
    except OSError as error:
        raise Refused(500, f"{file.name} cannot be read: {error.strerror}.") from error
    if not secrets:
        raise Refused(
            500,
            f"No webhook secret is configured: write one into {file.name} (one a line, newest "
            "first), or into the variable GITHUB_WEBHOOK_SECRET.",
        )
    return secrets


def _check_signature(request: HttpRequest, body: bytes, secrets: tuple[bytes, ...]) -> Signed:
    sha256 = request.headers.get("X-Hub-Signature-256")
    sha1 = request.headers.get("X-Hub-Signature")
    try:
        return check_signature(body, secrets, sha256=sha256, sha1=sha1)
    except InvalidSignature as error:
        raise Refused(403, str(error)) from error


def _read_name(request: HttpRequest, header: str, default: str | None = None) -> str:
    value = request.headers.get(header, "").strip() or default
    if value is None:
        raise Refused(400, f"The header {header} is missing.")
    if len(value) > MAX_HEADER or not value.isprintable():
        raise Refused(400, f"The header {header} is not what GitHub sends: {value[:50]!a}.")
    return value


def _read_headers(request: HttpRequest) -> dict[str, str]:
    """The headers worth keeping: none with a secret, and no more than a row can bear."""
    return {
        storable(name, MAX_HEADER): storable(value, 500)
        for name, value in list(request.headers.items())[:50]
        if not any(word in name.lower() for word in SECRET_WORDS)
    }
