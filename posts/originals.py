"""What a translation that leaves it out takes over from the file that it translates."""

from collections.abc import Callable, Mapping
from typing import Any

from posts import headers, metadata, source
from posts.source import Folder, PostUnreadable, SourceFile

# Not what is said in the original's language, nor the addresses that lead there.
OWN = frozenset({"title", "summary", "lang", "aliases", "url", "save_as", "translation"})
STATUS = frozenset({"status", "draft"})

# The metadata within the text of a reStructuredText post.
ReadFields = Callable[[str], Mapping[str, Any]]


def read_values(folder: Folder, base: SourceFile, read_fields: ReadFields) -> dict[str, Any]:
    """What the original says of itself, in our words. Raises PostUnreadable."""
    try:
        text, companion = folder.read(base)
        outer = headers.split_companion(companion) if companion else {}
        if source.is_rst(base.path):
            header = headers.split_rst(text)
            values = {**read_fields(header.body), **header.values, **outer}
        else:
            values = {**headers.split_markdown(text).values, **outer}
    except (PostUnreadable, headers.HeaderInvalid, OSError, RecursionError) as error:
        raise PostUnreadable(
            f"{base.path}, of which it is a translation, cannot be read: {error}"
        ) from error
    return translate(values)


def interpret(
    values: Mapping[str, Any], own: Mapping[str, Any]
) -> tuple[metadata.Metadata, list[str]]:
    """As metadata.interpret has it, of a translation's `own` values and the original's `values`.

    What is wrong with these is told of the original; only without a date it matters here, too.
    """
    meta, complaints = metadata.interpret(inherit(values, own) if values else own)
    if values and not meta.has_unreadable_date:
        known = metadata.interpret(values)[1]
        complaints = [each for each in complaints if each not in known]
    return meta, complaints


def inherit(values: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    own = translate(own)
    left_out = OWN if STATUS.isdisjoint(own) else OWN | STATUS
    return {**{key: value for key, value in values.items() if key not in left_out}, **own}


def translate(values: Mapping[str, Any]) -> dict[str, Any]:
    """With our words for the keys, so that `created` there is `date` here."""
    return {
        metadata.KEYS[key]: value
        for key, value in metadata.read_flag(values).items()
        if key in metadata.KEYS and value is not None
    }
