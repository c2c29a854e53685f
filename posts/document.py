"""What a parser makes of a post's text, whichever markup it is in."""

from dataclasses import dataclass, field
from typing import Any

from posts.problems import Problem


@dataclass
class Document:
    """HTML not yet sanitised. `values` are metadata that stood within the text itself."""

    html: str
    title: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
