"""Finds the code within a text: what stands there is shown, and orders nothing."""

import re
from bisect import bisect

Span = tuple[int, int]

FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})")
IN_BACKTICKS = re.compile(r"(?<!`)(`+)(?!`)(?:(?!\n\s*\n).){1,1000}?(?<!`)\1(?!`)", re.DOTALL)
CODE_DIRECTIVE = re.compile(r"\s*\.\.\s+(?:code|code-block|sourcecode|parsed-literal)::")
OTHER_DIRECTIVE = re.compile(r"\s*\.\.(?:\s|$)")
# What may hold a paragraph that is indented by four, and no code.
HOLDER = re.compile(r"\s*(?:[-*+]\s|\d+[.)]\s|\[\^|:\s|!!!)")


class Code:
    """The places of code in a text."""

    def __init__(self, text: str, *, is_rst: bool) -> None:
        found = find_rst_blocks(text) if is_rst else find_markdown_blocks(text)
        blocks = merge(found)
        inline = [each.span() for each in IN_BACKTICKS.finditer(text)]
        if is_rst:
            inline = [span for span in inline if text.startswith("``", span[0])]
        self.spans = merge([*blocks, *inline])
        self.starts = [start for start, _ in self.spans]

    def holds(self, position: int) -> bool:
        number = bisect(self.starts, position) - 1
        return number >= 0 and position < self.spans[number][1]


def merge(spans: list[Span]) -> list[Span]:
    """Sorted, those within others left out."""
    kept: list[Span] = []
    for start, end in sorted(spans):
        if not kept or end > kept[-1][1]:
            kept.append((start, end))
    return kept


def find_markdown_blocks(text: str) -> list[Span]:
    return [*find_fenced(text), *find_indented(text)]


def find_fenced(text: str) -> list[Span]:
    """From each fence to the next of its kind that is as long and has no words; else to the end."""
    found: list[Span] = []
    position, start, fence = 0, 0, ""
    for line in text.splitlines(keepends=True):
        opening = FENCE.match(line)
        if fence and opening and opening[1].startswith(fence) and not line.strip(" \t\n`~"):
            found.append((start, position + len(line)))
            fence = ""
        elif opening and not fence:
            start, fence = position, opening[1]
        position += len(line)
    return [*found, (start, position)] if fence else found


def find_indented(text: str) -> list[Span]:
    """Lines that are indented by four after an empty one, but for those of a list's item."""
    found: list[Span] = []
    position, is_after_gap, is_held = 0, True, False
    for line in text.splitlines(keepends=True):
        is_indented = line.startswith(("    ", "\t"))
        if line.strip():
            if is_indented and is_after_gap and not is_held:
                found.append((position, position + len(line)))
            elif not is_indented:
                is_held = bool(HOLDER.match(line)) or (is_held and line[0] == " ")
            is_after_gap = is_indented and is_after_gap
        else:
            is_after_gap = True
        position += len(line)
    return found


def find_rst_blocks(text: str) -> list[Span]:
    """What is indented below `::`, or below a directive that shows code."""
    found: list[Span] = []
    position, margin = 0, -1
    for line in text.splitlines(keepends=True):
        indent = len(line) - len(line.lstrip())
        if line.strip():
            if margin >= 0 and indent > margin:
                found.append((position, position + len(line)))
            else:
                margin = indent if opens_literal(line) else -1
        position += len(line)
    return found


def opens_literal(line: str) -> bool:
    if CODE_DIRECTIVE.match(line):
        return True
    return line.rstrip().endswith("::") and not OTHER_DIRECTIVE.match(line)
