"""A plugin that pytest loads first: the tests' state goes to a folder of their own.

Django's settings read the environment when pytest-django imports them, before any conftest.
"""

import os
import tempfile
from pathlib import Path

_STATE = tempfile.TemporaryDirectory(prefix="blogsite-tests-")
(Path(_STATE.name) / "static").mkdir()  # whitenoise warns of a missing one
os.environ["ENV_FILE"] = os.devnull
os.environ["DATA_DIR"] = _STATE.name
os.environ["GITHUB_WEBHOOK_SECRET_FILE"] = str(Path(_STATE.name) / "secret.txt")
for _name in ("DATABASE_URL", "SITE_URL", "PORT", "DEPLOY_BRANCH", "DEPLOY_CHECKOUT", "POSTS_DIR"):
    os.environ.pop(_name, None)


def pytest_unconfigure() -> None:
    _STATE.cleanup()
