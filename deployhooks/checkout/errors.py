"""What can be wrong with a checkout, in words for people."""


class CheckoutError(Exception):
    """The message is for people: what was tried, what stood in the way, what to do."""
