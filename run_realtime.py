"""The live garment recogniser: `python run_realtime.py --help`."""

import sys

from realtime.cli import main

if __name__ == "__main__":
    sys.exit(main())
