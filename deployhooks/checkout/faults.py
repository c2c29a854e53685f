"""What git's messages mean: which faults pass by themselves, and what to do about the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from deployhooks.checkout.errors import CheckoutError
from deployhooks.process import ProcessFailed, ProcessTimedOut


class Fault(Enum):
    """The value is what to do about it."""

    OWNER = (
        "The checkout belongs to another user: give it to the user that runs the deploys (chown),"
        " or allow it with `git config --global --add safe.directory <folder>`."
    )
    LOCKED = (
        "Another git works in the checkout, or one that died left its lock behind: wait, or remove"
        " the .lock file that is named when no git runs there."
    )
    DISK_FULL = "The disk is full: make room."
    NOT_WRITABLE = "The user that runs the deploys may not write there: correct owner and mode."
    CERTIFICATE = "The server's certificate is not trusted: correct it, or set GIT_SSL_CAINFO."
    HOST_KEY = "The server's ssh key is not known: add it to ~/.ssh/known_hosts (ssh-keyscan)."
    AUTHENTICATION = (
        "The remote does not let us in: give the user that runs the deploys a key or token that"
        " may read the repository."
    )
    PROTOCOL = "This kind of address is not allowed: use https, ssh, http or git."
    NO_BRANCH = "The remote has no such branch: push it, or set DEPLOY_BRANCH to one that it has."
    NO_REPOSITORY = "There is no repository at that address: correct the remote's address."
    NOT_THERE_YET = "The remote does not have that commit: push it there."
    VANISHED = "The remote does not show the repository: correct its address or our access to it."
    PASSING = "The remote did not answer as it should: re-run the deploy when it does."
    UNKNOWN = "See the step's output."

    @property
    def passes(self) -> bool:
        """Whether it is worth trying again in a while."""
        return self in (Fault.PASSING, Fault.VANISHED, Fault.NOT_THERE_YET)


# The first that is found counts: what fails for good stands before "Could not read from remote
# repository", which git adds to nearly everything.
MESSAGES = [
    (Fault.OWNER, r"detected dubious ownership|unsafe repository \("),
    (Fault.DISK_FULL, r"No space left on device|Out of diskspace|Disk quota exceeded"),
    (Fault.LOCKED, r"\.lock': File exists|Another git process seems to be running"),
    (
        Fault.CERTIFICATE,
        r"SSL certificate problem|certificate verif|self[- ]signed certificate"
        r"|SSL: no alternative certificate",
    ),
    (Fault.HOST_KEY, r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED"),
    (
        Fault.AUTHENTICATION,
        r"Authentication failed|could not read (?:Username|Password)|Permission denied \("
        r"|returned error: 40[13]|HTTP Basic: Access denied|Invalid username or password"
        r"|Too many authentication failures|Permission to .* denied|access denied",
    ),
    (
        Fault.NOT_WRITABLE,
        r"insufficient permission for adding|Permission denied$|Read-only file system",
    ),
    (
        Fault.PROTOCOL,
        r"transport '[^']*' not allowed|strange (?:hostname|port|pathname) .* blocked",
    ),
    (Fault.NO_BRANCH, r"couldn't find remote ref|Remote branch .* not found"),
    (Fault.NO_REPOSITORY, r"does not appear to be a git repository|No such remote"),
    (Fault.NOT_THERE_YET, r"not our ref|not allow request for unadvertised object"),
    (
        Fault.VANISHED,
        r"Repository not found|repository '[^']*' not found|returned error: 404"
        r"|project you were looking for could not be found",
    ),
    (
        Fault.PASSING,
        r"Connection (?:refused|reset|timed out|closed|aborted)|[Tt]imed? ?out"
        r"|Could not resolve (?:host|proxy)|[Nn]ame resolution|Network is unreachable"
        r"|No route to host|Failed to connect|Couldn't connect|Operation too slow|Empty reply"
        r"|returned error: (?:5\d\d|408|429)|HTTP/2 stream|RPC failed|early EOF"
        r"|hung up unexpectedly|unexpected disconnect|Recv failure|Send failure"
        r"|(?:gnutls_handshake|SSL_connect|SSL_read|TLS connect)|kex_exchange_identification"
        r"|Internal Server Error|Bad Gateway|Service Unavailable|expected flush after"
        r"|bad line length|invalid index-pack output|[Cc]ould not read from remote repository",
    ),
]
PATTERNS = [(fault, re.compile(pattern, re.MULTILINE)) for fault, pattern in MESSAGES]


def classify(output: str) -> Fault:
    """What kind of fault git reports in its (English) output."""
    found = (fault for fault, pattern in PATTERNS if pattern.search(output))
    return next(found, Fault.UNKNOWN)


def fault_of(error: ProcessFailed) -> Fault:
    if isinstance(error, ProcessTimedOut):
        return Fault.PASSING
    return classify(error.output)


def describe(error: ProcessFailed, tried: str) -> str:
    """What was tried, what git said, what to do."""
    said = " / ".join(line.strip() for line in error.said.splitlines())
    if isinstance(error, ProcessTimedOut):
        said = f"git {error.what}: {said}"
    return f"{tried} failed: {said.rstrip('.')}. {fault_of(error).value}"


@contextmanager
def explained(tried: str) -> Iterator[None]:
    """Raise CheckoutError, in words for people, where a process fails."""
    try:
        yield
    except ProcessFailed as error:
        raise CheckoutError(describe(error, tried)) from error
