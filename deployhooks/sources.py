"""Reads from the checkout which repositories' pushes concern the site."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from deployhooks.checkout import Checkout, Submodule
from deployhooks.repositories import Source, derive_full_name


def read_sources() -> Iterator[Source]:
    """Yield the site's repository, then its submodules' as they are checked out now.

    One by one, so that a push to the site is taken even where its submodules cannot be read: it may
    be the one that mends them. Raises CheckoutError.
    """
    checkout = Checkout(settings.DEPLOY_CHECKOUT, settings.DEPLOY_REMOTE, settings.DEPLOY_BRANCH)
    checkout.head_commit()  # or the error would be about what a folder that is no checkout lacks
    yield source_of_site(checkout)
    for submodule in checkout.submodules():
        yield source_of(checkout, submodule)


def source_of_site(checkout: Checkout) -> Source:
    url = checkout.remote_url()
    return Source(
        name="the site",
        urls=(url, checkout.config.expand(url)),
        branch=checkout.branch_name(),
        full_name=settings.DEPLOY_REPOSITORY or derive_full_name(url),
    )


def source_of(checkout: Checkout, submodule: Submodule) -> Source:
    return Source(
        name=f"submodule {submodule.path}",
        urls=(submodule.url, checkout.config.expand(submodule.url)),
        branch=submodule.branch,
    )
