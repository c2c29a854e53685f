"""Finds what a post's metadata depend on, without rendering it."""

import re

from posts import headers

# What a reStructuredText post's field list may follow, at the margin: fields, comments, targets.
RST_HEAD = re.compile(r"\s|:|\.\.|__|$")
ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*\s*$")
# A value may be made of what stands elsewhere in the text.
REFERENCE = re.compile(r"[`|]|_(?!\w)")
# docutils takes a text with longer lines for no text at all.
MANY = 100_000


def find_head(text: str, *, is_rst: bool) -> str:
    """As much of the text as its metadata depends on, and in doubt more.

    Two texts with the same head have the same metadata.
    """
    if is_rst:
        return find_rst_head(text)
    fenced = headers.FENCED.match(text)
    if fenced:
        return fenced[0]
    header = headers.split_nikola(text) or headers.split_pelican(text)
    return "\n".join(text.splitlines()[: header.body_line - 1]) if header else ""


def find_rst_head(text: str) -> str:
    """All before the first paragraph, where docutils looks for fields.

    With what parts the sections: it depends on them which heading is the title, and whose fields
    are the post's.
    """
    fenced = headers.FENCED.match(text)
    fence = fenced[0] if fenced else ""
    lines = text[len(fence) :].splitlines()
    number = next((at for at in range(len(lines)) if not is_in_head(lines, at)), len(lines))
    head = "\n".join([fence, *lines[:number]])
    if len(text) > MANY or REFERENCE.search(head) or headers.PEP_START.match(text):
        return text
    return "\n".join([head, *(line for line in lines[number:] if ADORNMENT.match(line))])


def is_in_head(lines: list[str], at: int) -> bool:
    """Whether the line is none of a paragraph: a field, a comment, a blank one, or a title."""
    underline = lines[at + 1] if at + 1 < len(lines) else ""
    return any(map(ADORNMENT.match, (lines[at], underline))) or bool(RST_HEAD.match(lines[at]))
