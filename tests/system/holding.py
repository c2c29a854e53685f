"""Becomes a module of a test's live site: each step of a deploy can be held, and runs alone."""

import fcntl
import importlib
import os
from functools import wraps
from pathlib import Path
from typing import Any

HOLD = Path(__file__).resolve().parent / "var" / "hold"
STEPS: dict[str, str] = {}


def wrap(paths: list[str]) -> list[str]:
    """Return the paths of the held steps, to be put into DEPLOY_STEPS."""
    STEPS.update({path.rpartition(".")[2]: path for path in paths})
    return [f"{__name__}.{name}" for name in STEPS]


def __getattr__(name: str) -> Any:
    if name not in STEPS:
        raise AttributeError(name)
    module, _, attribute = STEPS[name].rpartition(".")
    step = getattr(importlib.import_module(module), attribute)

    @wraps(step)
    def held(context: Any) -> str:
        HOLD.mkdir(exist_ok=True)
        with (HOLD / "alone").open("w") as alone:
            try:
                fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                (HOLD / "twice").touch()
                raise
            hold(context, f"before-{name}")
            detail = step(context)
            hold(context, f"after-{name}")
            return detail

    return held


def hold(context: Any, name: str) -> None:
    """Wait, in a git of our own, as long as the test has the file there."""
    flag = HOLD / name
    if flag.exists():
        (HOLD / "held").write_text(f"{name} {os.getpid()}")
        loop = f"alias.hold=!while [ -e '{flag}' ]; do sleep 0.05; done"
        context.run(["git", "-c", loop, "hold"], env=context.checkout.env)
