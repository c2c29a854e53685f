"""Steps for tests of the deployer; what they are to do is set by the test."""

import sys
import time
from typing import Any

from deployhooks.checkout import Version

#: name of a step -> what happens in it
behaviour: dict[str, Any] = {}
ran: list[str] = []


def _run(name: str, context: Any) -> str:
    ran.append(name)
    action = behaviour.get(name)
    return (action(context) if action else None) or f"{name} done"


def fetch(context: Any) -> str:
    context.target = context.before
    return _run("fetch", context)


def pull(context: Any) -> str:
    return _run("pull", context)


def index(context: Any) -> str:
    return _run("index", context)


def reload(context: Any) -> str:
    return _run("reload", context)


def skip(context: Any) -> None:
    context.skip("nothing to do")


def fail(context: Any) -> None:
    context.fail("it went wrong, do this")


def crash(context: Any) -> None:
    raise RuntimeError("a bug")


def leave(context: Any) -> None:
    raise SystemExit(1)


def print_slowly(context: Any) -> None:
    context.run([sys.executable, "-uc", "import time; print('half'); time.sleep(60)"])


def set_target(commit: str) -> Any:
    def act(context: Any) -> None:
        context.target = Version(commit, {})

    return act


def wait(seconds: float) -> Any:
    return lambda context: time.sleep(seconds)
