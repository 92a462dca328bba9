"""The live garment recogniser: `python run_realtime.py --help`."""

import os
import sys

# Before numpy is loaded: nothing multiplies large matrices, and threads for it spin in the way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
from realtime.cli import main

if __name__ == "__main__":
    sys.exit(main())
