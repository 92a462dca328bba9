"""Fuzzes the parsers of user data, guided by coverage: `python tests/benchmarks/fuzz.py TARGET`.

`[--seconds 600]`; needs atheris. Starts from tests/faults/corpus/TARGET and prints the bytes that a
parser answered with anything but a GarmentError: put them into that folder, and mend the parser.
"""

import argparse
import sys
from pathlib import Path

import atheris

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent)]

with atheris.instrument_imports(include=["preprocessing", "realtime", "training"]):
    import fuzz_targets


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("target", choices=fuzz_targets.TARGETS)
    parser.add_argument("--seconds", type=int, default=600)
    args = parser.parse_args()
    corpus = TESTS / "faults" / "corpus" / args.target
    found = fuzz_targets.FOLDER / "found"
    found.mkdir()
    atheris.Setup(
        ["fuzz", str(found), str(corpus), f"-artifact_prefix={found}/",
         f"-max_total_time={args.seconds}", "-max_len=4096", "-timeout=10", "-verbosity=0",
         "-print_final_stats=1"],
        lambda data: fuzz_targets.parse(args.target, data),
    )  # fmt: skip
    atheris.Fuzz()


if __name__ == "__main__":
    main()
