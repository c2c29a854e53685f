"""Takes secrets out of text before it is shown or stored, also when the text comes in pieces."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from django.conf import settings

REMOVED = "[removed]"
SHORTEST_SECRET = 4  # shorter ones would take half of every sentence with them
LONGEST_MATCH = 4096
LONGEST_LINE = 4 * LONGEST_MATCH

# Every repetition is bounded, so that no match is longer than LONGEST_MATCH.
PATTERNS = (
    r"(?P<scheme>\b[a-z][a-z0-9+.-]{0,30}://)(?!git@)[^\s/@]{1,1024}(?:@[^\s/@]{1,1024}){0,2}@",
    r"(?P<query>[?&](?:access_token|private_token|token|password|secret)=)[^\s&'\"]{1,1024}",
    r"(?P<header>\b(?:proxy-)?authorization\s{0,8}[:=]\s{0,8})[^\r\n]{1,3000}",
    r"\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255})",
    r"\bgl(?:pat|ptt|dt|rt|cbt|soat|agent)-[A-Za-z0-9_.-]{16,255}",
)
KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
KEY_ENDS = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
SECRET_NAMES = re.compile(
    r"SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|PRIVATE_?KEY|API_?KEY", re.IGNORECASE
)


class Redactor:
    def __init__(self, secrets: Iterable[str] = ()) -> None:
        lines = {line.strip() for secret in secrets for line in secret.splitlines()}
        known = {line for line in lines if len(line) >= SHORTEST_SECRET}
        known |= {quote(line, safe="") for line in known}
        self._hold = max([LONGEST_MATCH, *map(len, known)])
        # The longest first: one secret may begin with another.
        literals = [re.escape(text) for text in sorted(known, key=len, reverse=True)]
        self._pattern = re.compile("|".join([*literals, *PATTERNS]), re.IGNORECASE)

    def clean(self, text: str) -> str:
        stream = RedactedStream(self)
        return stream.feed(text) + stream.close()

    def replace(self, text: str) -> str:
        """Clean one line, or a part of one that no match crosses; private keys need `clean`."""
        return self._pattern.sub(self._replacement, text)

    def safe_cut(self, text: str) -> int:
        """Where an unfinished line may be cut with no match, made or still coming, across it."""
        cut = max(len(text) - self._hold, 0)
        for match in self._pattern.finditer(text):
            if match.start() < cut < match.end():
                return match.start()
        return cut

    @staticmethod
    def _replacement(match: re.Match[str]) -> str:
        if scheme := match.group("scheme"):
            return f"{scheme}{REMOVED}@"
        return f"{match.group('header') or match.group('query') or ''}{REMOVED}"


class RedactedStream:
    """Cleans text that arrives cut at any place; holds back what might be half a secret."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""
        self._in_key = False

    def feed(self, text: str) -> str:
        *lines, self._held = _split_lines(self._held + text)
        cleaned = "".join(map(self._clean_line, lines))
        if len(self._held) > LONGEST_LINE:
            cut = self._redactor.safe_cut(self._held)
            cleaned += self._clean_line(self._held[:cut])
            self._held = self._held[cut:]
        return cleaned

    def close(self) -> str:
        held, self._held = self._held, ""
        return self._clean_line(held)

    def _clean_line(self, line: str) -> str:
        if self._in_key:
            end = KEY_ENDS.search(line)
            if not end:
                return ""
            self._in_key = False
            return self._clean_line(line[end.end() :])
        begin = KEY_BEGINS.search(line)
        if not begin:
            return self._redactor.replace(line)
        self._in_key = True
        before = self._redactor.replace(line[: begin.start()])
        return before + REMOVED + self._clean_line(line[begin.end() :])


def configured_redactor() -> Redactor:
    """A redactor for every secret that settings and environment hold at this moment."""
    return Redactor(_configured_secrets())


class CleanFormatter(logging.Formatter):
    """Log lines, tracebacks too, without the configured secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return configured_redactor().clean(super().format(record))


def _configured_secrets() -> Iterator[str]:
    yield settings.SECRET_KEY
    yield settings.GITHUB_WEBHOOK_SECRET
    yield _read(settings.GITHUB_WEBHOOK_SECRET_FILE)
    for database in settings.DATABASES.values():
        yield str(database.get("PASSWORD") or "")
    yield settings.EMAIL_HOST_PASSWORD
    yield from (value for name, value in os.environ.items() if SECRET_NAMES.search(name))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _split_lines(text: str) -> list[str]:
    """Split after each line end; the last part is what has none yet, perhaps nothing."""
    return re.split(r"(?<=[\r\n])", text)
