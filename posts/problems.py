"""Something wrong in a post, told with the line where it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

# As many of one post as anyone reads.
MOST = 200


@dataclass(frozen=True, order=True)
class Problem:
    """`line` counts from 1 in the file, as editors do; `file` names one that is not the post's."""

    line: int
    message: str
    file: str = ""

    def __post_init__(self) -> None:
        """`file:line: message` is one line, whoever complains."""
        lines = (line.strip() for line in self.message.splitlines())
        object.__setattr__(self, "message", " ".join(line for line in lines if line))

    @classmethod
    def load(cls, values: Mapping[str, Any]) -> Self:
        return cls(values["line"], values["message"], values.get("file", ""))

    def as_json(self) -> dict[str, Any]:
        file = {"file": self.file} if self.file else {}
        return {"line": self.line, "message": self.message, **file}


def cut(problems: Sequence[Problem], most: int = MOST) -> list[Problem]:
    """The first ones, the last of them saying how many there are beyond."""
    if len(problems) <= most:
        return list(problems)
    last = problems[most - 1]
    rest = f"and {len(problems) - most + 1} more problems"
    return [*problems[: most - 1], Problem(last.line, rest, last.file)]
