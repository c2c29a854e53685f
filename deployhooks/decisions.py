"""Decides what a delivery asks for, and says it in words that explain why nothing happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from deployhooks.models import Delivery
from deployhooks.payloads import Payload
from deployhooks.repositories import Source, normalise_url

Outcome = Delivery.Outcome


@dataclass(frozen=True)
class Decision:
    outcome: Delivery.Outcome
    reason: str


def decide(event: str, payload: Payload, read_sources: Callable[[], Iterable[Source]]) -> Decision:
    """Say whether an event deploys; the checkout is read only where the answer depends on it."""
    if event == "ping":
        return Decision(Outcome.PONG, "GitHub's ping arrived, and its signature is right.")
    if event != "push":
        return _ignore(f"Only pushes are deployed, and this is the event {event}.")
    return _decide_push(payload, read_sources())


def _show(text: str) -> str:
    """What a payload says, for a sentence that goes into a row, a log and a terminal."""
    return "".join(
        sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text[:200]
    )


def _ignore(reason: str) -> Decision:
    return Decision(Outcome.IGNORED, reason)


def _decide_push(payload: Payload, sources: Iterable[Source]) -> Decision:
    repository = _show(payload.full_name or normalise_url(payload.urls[0]))
    ref = _show(payload.ref)
    known, found = _find(payload, sources)
    if not found:
        names = ", ".join(map(str, known))
        return _ignore(f"The repository {repository} is none of those deployed here: {names}.")
    if payload.is_deletion:
        return _ignore(f"{ref} of {repository} was deleted; there is nothing to deploy.")
    if payload.tag is not None:
        return _ignore(f"{ref} is a tag; only pushes to a branch are deployed.")
    if payload.branch is None:
        return _ignore(f"{ref} is not a branch; only pushes to a branch are deployed.")
    deployed = [source for source in found if source.branch == payload.branch]
    if not deployed:
        return _ignore(_explain_branch(_show(payload.branch), repository, found))
    if payload.skip_marker:
        return _ignore(f"The head commit's message has the marker {payload.skip_marker}.")
    return Decision(Outcome.QUEUED, f"Push to {ref} of {repository}, {deployed[0].name}.")


def _find(payload: Payload, sources: Iterable[Source]) -> tuple[list[Source], list[Source]]:
    """Return the sources looked at, and those of the payload's repository.

    Ends at the one that is deployed from the payload's branch: the rest makes no difference.
    """
    known, found = [], []
    for source in sources:
        known.append(source)
        if source.is_named_by(payload.urls, payload.full_name):
            found.append(source)
            if source.branch is not None and source.branch == payload.branch:
                break
    return known, found


def _explain_branch(branch: str, repository: str, found: Sequence[Source]) -> str:
    tracked = [source for source in found if source.branch is not None]
    if tracked:
        names = ", ".join(f"{source.branch} ({source.name})" for source in tracked)
        return f"This push is to the branch {branch} of {repository}; deployed is {names}."
    return (
        f"{repository} is the {found[0].name}, which is pinned: the site records its commit, and "
        "only a push to the site's own repository changes that. To deploy each push to a branch "
        f"instead, write `branch = {branch}` for it into the site's .gitmodules."
    )
