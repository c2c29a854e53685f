"""Reads dates and times in the many ways that blogs write them."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

DAYS = (
    "%Y-%m-%d", "%Y-%m", "%Y", "%Y%m%d", "%d-%b-%Y", "%d-%B-%Y", "%d %b %Y", "%d %B %Y",
    "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%d.%m.%Y", "%Y年%m月%d日",
)  # fmt: skip
TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", " %I %p")
WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+", re.IGNORECASE)
NOON = re.compile(r"(?<=\d)\s*([ap])\.?m\.?$", re.IGNORECASE)
ZONE = re.compile(r"\s*(?:(Z|UTC|GMT)|(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?)$", re.IGNORECASE)


def parse_moment(value: Any) -> datetime | None:
    """Read a date or time in any of the ways that blogs write it; None when there is none."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    written = " ".join(str(value).split())
    text = written.replace("/", "-")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    plain, zone = split_zone(text)
    plain = NOON.sub(r" \1m", WEEKDAY.sub("", plain))
    for form in (day + hour for day in DAYS for hour in TIMES):
        try:
            return datetime.strptime(plain, form).replace(tzinfo=zone)
        except ValueError:
            continue
    return parse_mail_date(written)


def split_zone(text: str) -> tuple[str, timezone | None]:
    found = ZONE.search(text)
    # The last part of 2016-06-19 looks like a zone of minus nineteen hours.
    if not found or (found[2] and ":" not in text[: found.start()]):
        return text, None
    if found[1]:
        return text[: found.start()], UTC
    offset = timedelta(hours=int(found[3]), minutes=int(found[4] or 0))
    if offset >= timedelta(hours=24):
        return text, None
    return text[: found.start()], timezone(-offset if found[2] == "-" else offset)


def parse_mail_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
