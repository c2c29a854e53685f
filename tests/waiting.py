"""How long things may take on a machine that has more to do than processors."""

import os


def stretched(seconds: float) -> float:
    """As long as that takes with so many others who want to run."""
    return seconds * max(1, os.getloadavg()[0] / (os.cpu_count() or 1))
