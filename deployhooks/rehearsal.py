"""Runs management commands of the project in the current folder, one after the other.

Run as a program by the step preflight; it imports nothing of the project, whose new version it is
to try out. One process for all of them: most of a command's time is Django's start.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from pathlib import Path

HEADING = "--- "
# In place of a management command: import what the queue and the watch run.
LOAD = "load"


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
        if command == [LOAD]:
            load_programs()
        else:
            call_command(*command)
    except CommandError as error:
        sys.exit(str(error))


def load_programs() -> None:
    """Import the management commands and tasks of the project's own apps.

    The web's workers never do: code that is broken there would end every later deploy.
    """
    from django.apps import apps
    from django.core.management import find_commands, load_command_class
    from django.utils.module_loading import module_has_submodule

    for app in apps.get_app_configs():
        if not Path(app.path).is_relative_to(Path.cwd()):
            continue
        for command in find_commands(str(Path(app.path) / "management")):
            load_command_class(app.name, command)
        if module_has_submodule(app.module, "tasks"):
            importlib.import_module(f"{app.name}.tasks")


def is_surprising(end: SystemExit) -> bool:
    """Whether it came from the project's code, not from one of Django's commands."""
    import django

    raised_in = traceback.extract_tb(end.__traceback__)[-1].filename
    django_folder = Path(django.__file__).parent
    return not Path(raised_in).is_relative_to(django_folder) and raised_in != __file__


if __name__ == "__main__":
    main()
