"""Reads the body of a delivery: JSON or a form, checked, and reduced to what a deploy needs."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import parse_qs

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"

NO_COMMIT = "0" * 40
BRANCHES, TAGS = "refs/heads/", "refs/tags/"
URL_KEYS = ("clone_url", "ssh_url", "git_url", "html_url")
SKIP_MARKER = re.compile(r"\[skip (?:deploy|cd)\]", re.IGNORECASE)
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
KIND_NAMES: dict[type, str] = {
    str: "text",
    dict: "an object",
    list: "a list",
    bool: "true or false",
}

T = TypeVar("T")


class InvalidPayload(Exception):
    """The message names what is wrong with the body."""


@dataclass(frozen=True)
class Payload:
    """What was sent, as it was sent: texts may be long and hold characters that no row can.

    `text` is the whole payload as JSON of ASCII characters only. Of an event other than a push only
    `action`, `full_name` and `urls` are known.
    """

    text: str
    action: str = ""
    full_name: str = ""
    urls: tuple[str, ...] = ()
    ref: str = ""
    before: str = ""
    after: str = ""
    is_deletion: bool = False
    pusher: str = ""
    head_message: str = ""

    @property
    def branch(self) -> str | None:
        return self.ref.removeprefix(BRANCHES) if self.ref.startswith(BRANCHES) else None

    @property
    def tag(self) -> str | None:
        return self.ref.removeprefix(TAGS) if self.ref.startswith(TAGS) else None

    @property
    def skip_marker(self) -> str:
        """The marker in the head commit's message that asks for no deploy; empty without one."""
        found = SKIP_MARKER.search(self.head_message)
        return found[0] if found else ""


def parse_payload(event: str, body: bytes, content_type: str) -> Payload:
    """Read a body of one of the two content types; raises InvalidPayload and nothing else."""
    data, text = _read_json(_read_document(body, content_type))
    repository = _get(data, "repository", dict) or {}
    urls = (_get(repository, key, str, "repository.") for key in URL_KEYS)
    payload = Payload(
        text=text,
        action=_get(data, "action", str) or "",
        full_name=_get(repository, "full_name", str, "repository.") or "",
        urls=tuple(url for url in urls if url),
    )
    return _read_push(data, payload) if event == "push" else payload


def storable(text: str, limit: int) -> str:
    """Cut `text` to what fits into a column of `limit` characters in every database."""
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text[:limit])


def _read_document(body: bytes, content_type: str) -> str:
    try:
        text = body.decode()
        if content_type != FORM_TYPE:
            return text
        fields = parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=100)
    except UnicodeDecodeError as error:
        raise InvalidPayload("The payload is not UTF-8.") from error
    except ValueError as error:
        raise InvalidPayload(f"The form cannot be read: {error}.") from error
    documents = fields.get("payload", [])
    if len(documents) != 1:
        raise InvalidPayload("The form must have exactly one field named payload.")
    return documents[0]


def _read_json(document: str) -> tuple[dict[str, Any], str]:
    try:
        data = json.loads(document, parse_constant=_refuse_number, parse_float=_read_float)
        text = json.dumps(data, separators=(",", ":"))
    except json.JSONDecodeError as error:
        raise InvalidPayload(f"The payload is not JSON: {error}.") from error
    except ValueError as error:
        raise InvalidPayload("The payload has a number that is too long.") from error
    except RecursionError as error:
        raise InvalidPayload("The payload is nested too deeply.") from error
    if not isinstance(data, dict):
        raise InvalidPayload("The payload is JSON, but not an object.")
    return data, text


def _read_float(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse_number(digits)


def _refuse_number(name: str) -> float:
    raise InvalidPayload(f"The payload has a number that JSON does not have: {name[:40]}.")


def _read_push(data: dict[str, Any], payload: Payload) -> Payload:
    ref = _get(data, "ref", str)
    if not ref:
        raise InvalidPayload("A push must have a ref.")
    if not payload.full_name and not payload.urls:
        raise InvalidPayload("A push must name its repository.")
    _get(data, "commits", list)  # not needed, but what is no push of GitHub's is told so
    after = _get(data, "after", str) or ""
    pusher = _get(data, "pusher", dict) or {}
    head_commit = _get(data, "head_commit", dict) or {}
    return replace(
        payload,
        ref=ref,
        before=_get(data, "before", str) or "",
        after=after,
        is_deletion=bool(_get(data, "deleted", bool)) or after == NO_COMMIT,
        pusher=_get(pusher, "name", str, "pusher.") or "",
        head_message=_get(head_commit, "message", str, "head_commit.") or "",
    )


def _get(data: dict[str, Any], key: str, kind: type[T], prefix: str = "") -> T | None:
    """Return a field, None when it is missing or null; raises InvalidPayload for another type."""
    value = data.get(key)
    if value is None or isinstance(value, kind):
        return value
    raise InvalidPayload(f"The payload's {prefix}{key} must be {KIND_NAMES[kind]}.")
