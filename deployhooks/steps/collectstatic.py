"""Step collectstatic: the new version's static files join the old ones, which stay served."""

import re
from pathlib import Path

from django.conf import settings

from deployhooks.steps.context import Context

TIMEOUT = 120.0
# Which file of which hash a page asks for; all else that is collected has a name of its own.
MANIFEST = "staticfiles.json"


def collectstatic(context: Context) -> str:
    if not context.code_changes:
        context.skip("only content changes")
    manifest = Path(settings.STATIC_ROOT) / MANIFEST
    if manifest.exists():
        context.kept.keep(MANIFEST, manifest.read_text())
    done = context.scratch.manage("collectstatic", "--noinput", timeout=TIMEOUT)
    last = (done.output.strip().splitlines() or ["collected"])[-1]
    return re.sub(r" to '[^']*'", "", last)  # where to is the same each time


def put_manifest_back(context: Context) -> bool:
    """Let pages of the version before ask for its own files again; False when they do."""
    kept = context.kept.find(MANIFEST)
    manifest = Path(settings.STATIC_ROOT) / MANIFEST
    if kept is None or (manifest.exists() and kept == manifest.read_text()):
        return False
    draft = manifest.with_suffix(".draft")
    draft.write_text(kept)
    draft.rename(manifest)
    return True
