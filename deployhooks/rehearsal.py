"""Runs management commands of the project in the current folder, one after the other.

Run as a program by the step preflight; it imports nothing of the project, whose new version it is
to try out. One process for all of them: most of a command's time is Django's start.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

HEADING = "--- "


def main() -> None:
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as `python manage.py` has it
    for title, *command in json.loads(sys.argv[1]):
        print(f"{HEADING}{title}", flush=True)  # noqa: T201 - a program's output
        try:
            run(command)
        except SystemExit as end:
            if is_surprising(end):
                traceback.print_exc()
            raise


def run(command: list[str]) -> None:
    """Raises whatever is broken; SystemExit with Django's own report."""
    import django
    from django.core.management import CommandError, call_command

    django.setup()
    try:
        call_command(*command)
    except CommandError as error:
        sys.exit(str(error))


def is_surprising(end: SystemExit) -> bool:
    """Whether it came from the project's code, not from one of Django's commands."""
    import django

    raised_in = traceback.extract_tb(end.__traceback__)[-1].filename
    django_folder = Path(django.__file__).parent
    return not Path(raised_in).is_relative_to(django_folder) and raised_in != __file__


if __name__ == "__main__":
    main()
