"""The site's working copy: reading it with GitPython, moving it with git."""

from deployhooks.checkout.checkout import Checkout, Version
from deployhooks.checkout.errors import CheckoutError
from deployhooks.checkout.git import Runner
from deployhooks.checkout.submodule import Submodule

__all__ = ["Checkout", "CheckoutError", "Runner", "Submodule", "Version"]
