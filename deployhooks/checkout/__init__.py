"""The site's working copy: reading it with GitPython, moving it with git."""

from deployhooks.checkout.checkout import Checkout, Runner, Submodule, Version
from deployhooks.checkout.errors import CheckoutError

__all__ = ["Checkout", "CheckoutError", "Runner", "Submodule", "Version"]
