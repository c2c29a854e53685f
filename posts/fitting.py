"""Sees to it, before a transaction is open, that the database can hold what was rendered."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from django.db.models import Model

from posts import reading
from posts.models import Address, Post, Tag
from posts.problems import Problem
from posts.rendering import Draft, Rendered
from posts.source import make_fit


def fit(rendered: Rendered) -> Rendered:
    """The same with clean texts; without its draft, and with the reasons, when no row can hold it.

    One post must not end the transaction in which all the others go live.
    """
    problems = [
        Problem(each.line, make_fit(each.message), make_fit(each.file))
        for each in rendered.problems
    ]
    if rendered.draft is None:
        return Rendered(rendered.source, None, [], problems)
    draft = clean(rendered.draft)
    aliases = [make_fit(alias) for alias in rendered.aliases]
    misfits = find_misfits(draft)
    misfits += find_long("tag", draft.tag_names, Tag, "name")
    misfits += find_long("alias", [quote(alias) for alias in aliases], Address, "address")
    if misfits:
        problems = sorted({*problems, *(Problem(1, misfit) for misfit in misfits)})
        return Rendered(rendered.source, None, [], problems)
    return Rendered(rendered.source, draft, aliases, problems)


def clean(draft: Draft) -> Draft:
    """All values but the body, which posts.markup cleaned before it put its own marks there.

    What is searched tells of tags and the like too, behind a mark of its own.
    """
    values = {each.name: getattr(draft, each.name) for each in fields(draft)}
    draft = replace(draft, **{name: clean_value(values[name]) for name in values if name != "body"})
    groups = [*draft.tag_names, draft.category, draft.series, draft.author]
    return replace(draft, text=reading.with_groups(draft.text, groups))


def clean_value(value: Any) -> Any:
    if isinstance(value, str):
        return make_fit(value)
    if isinstance(value, list):
        return [clean_value(item) for item in value]
    if isinstance(value, dict):
        return {clean_value(key): clean_value(item) for key, item in value.items()}
    return value


def find_misfits(draft: Draft) -> list[str]:
    """What of the draft its columns cannot hold, in words."""
    found = []
    for each in fields(draft):
        value = getattr(draft, each.name)
        if isinstance(value, str):
            found += find_long(each.name, [value], Post, each.name)
        elif isinstance(value, datetime) and not is_in_range(value):
            found.append(f"its {each.name} is out of the range of dates. Write another.")
    return found


def find_long(word: str, values: list[str], model: type[Model], column: str) -> list[str]:
    limit = getattr(model._meta.get_field(column), "max_length", None)
    return [
        f"its {word} has {len(value)} characters; {limit} fit. Shorten it."
        for value in values
        if limit and len(value) > limit
    ]


def is_in_range(moment: datetime) -> bool:
    """Databases keep times in UTC, where the ends of the calendar may have no room for it."""
    try:
        moment.astimezone(UTC)
    except OverflowError:
        return False
    return True
