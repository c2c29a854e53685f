"""script/bench: each benchmark prints its figures and a ratio against something of the same run."""

import importlib
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
NAMES = sorted(file.stem for file in FOLDER.glob("*.py") if not file.stem.startswith("_"))

chosen = sys.argv[1:] or NAMES
if unknown := set(chosen) - set(NAMES):
    sys.exit(f"No such benchmark: {', '.join(sorted(unknown))}. There are: {', '.join(NAMES)}.")
for name in chosen:
    print(f"== {name}", flush=True)
    importlib.import_module(f"tests.bench.{name}").main()
