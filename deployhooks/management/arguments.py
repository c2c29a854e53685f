"""What commands take from their command line."""

from argparse import ArgumentTypeError


def positive_number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)
