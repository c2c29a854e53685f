"""Static files: collected, hashed and compressed when, and only when, one of them has changed."""

import hashlib

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect_static() -> bool:
    """Collect the static files unless exactly these are collected; return whether it was done.

    Never clears: visitors who still have an older page keep its files.
    """
    stamp = settings.STATIC_ROOT / ".collected"
    wanted = fingerprint_sources()
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(wanted)
    return True


def fingerprint_sources() -> str:
    """Return a hash over names, sizes and times of all files that would be collected."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            state = f"{name}\0{storage.size(name)}\0{storage.get_modified_time(name)}\n"
            digest.update(state.encode())
    return digest.hexdigest()
