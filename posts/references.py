"""Sphinx' `:ref:`: from anywhere in a file to a label within it."""

import re
from typing import Any

from docutils import nodes

RoleResult = tuple[list[nodes.Node], list[nodes.system_message]]


def split_target(text: str) -> tuple[str, str]:
    """ "title <target>" is (title, target); without target both are the text."""
    found = re.fullmatch(r"(.+?)\s*<([^<>]+)>", text, re.DOTALL)
    return (found[1], found[2]) if found else (text, text)


def ref_role(
    name: str, rawtext: str, text: str, lineno: int, inliner: Any, options: Any = None,
    content: Any = None,
) -> RoleResult:  # fmt: skip
    """`:ref:` names a label, which `refer` looks for when all of the file is read."""
    title, label = split_target(nodes.unescape(text))
    words = "" if title == label else title
    return [nodes.inline(rawtext, title, label=label.removeprefix("!"), words=words)], []


def refer(document: nodes.document) -> None:
    """Lead each `:ref:` to its label, called by the heading or caption there.

    One to another file's label stays what it is: words. So does one within a link, as the table of
    contents makes them of headings.
    """
    asked = [node for node in document.findall(nodes.inline) if "label" in node]
    elements = (node for node in document.findall(nodes.Element) if node is not document)
    places = {each: node for node in elements for each in node["ids"]}
    for node in asked:
        found = document.nameids.get(nodes.fully_normalize_name(node["label"]))
        if found is None or found not in places:
            continue
        words = node["words"] or name_place(places[found]) or node["label"]
        is_linked = isinstance(node.parent, nodes.reference)
        link = nodes.Text(words) if is_linked else make_link(words, places[found], found)
        node.parent.replace(node, link)


def make_link(words: str, place: nodes.Element, label: str) -> nodes.Node:
    if isinstance(place, nodes.target) and "refuri" in place:
        return nodes.reference("", words, refuri=place["refuri"])
    # What is HTML already has no room for the label.
    is_lost = isinstance(place, nodes.raw)
    return nodes.inline("", words) if is_lost else nodes.reference("", words, refid=label)


def name_place(place: nodes.Element) -> str:
    """A picture's name may stand at the picture instead of the figure around it."""
    if isinstance(place, nodes.image) and isinstance(place.parent, nodes.figure):
        place = place.parent
    titles = (each for each in place if isinstance(each, nodes.title | nodes.caption))
    return str(place.get("caption") or next((each.astext() for each in titles), ""))
