"""The live garment recogniser: `python run_realtime.py --help`."""

import os
import sys

# Before numpy is imported: nothing multiplies large matrices, and OpenBLAS's threads would compete.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
from realtime.cli import main

if __name__ == "__main__":
    sys.exit(main())
