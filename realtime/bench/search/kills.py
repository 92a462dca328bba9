"""Kills runs that write an index: `python -m realtime.bench.search.kills --video FILE --rounds 50`.

After each kill -9, at a random moment, the index has to open, and every garment that was seen two
seconds before has to be there. A twin of the sink's writes, beside the index, holds what
was seen when.
"""

import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated

from preprocessing.errors import GarmentError, exit_status
from preprocessing.flags import NOT_NEGATIVE, POSITIVE, Arguments, Flag, add_fields, read_fields
from realtime.search.reader import Files, Reader, files_of_rows, prepare_live, stays_of
from realtime.search.storage import compact

if TYPE_CHECKING:
    import duckdb

SAFE = 2.0  # seconds of the clock before the kill, up to which everything has to be there
LONGEST = 8.0  # seconds from the first row until the kill
START = 120.0  # seconds in which the first frame has to come
# The app, with each garment's frame on stdout as soon as the sink has it: clock, track, time.
CHILD = """
import sys, time
from realtime.sinks import index
from realtime import cli
write = index.IndexSink.write
def twin(self, labelled):
    write(self, labelled)
    for garment in labelled.garments:
        print(time.time(), garment.track, labelled.frame.time, flush=True)
index.IndexSink.write = twin
index.IndexSink._describe = lambda *_: None
sys.exit(cli.main(sys.argv[1:]))
"""


@dataclass(frozen=True, kw_only=True)
class KillSettings:
    """The video to index, and how often it is killed."""

    video: Annotated[Path, Flag("video to index", metavar="FILE")]
    rounds: Annotated[int, Flag("kills", POSITIVE, "N")] = 50
    seed: Annotated[int, Flag("of the moments", NOT_NEGATIVE, "N")] = 0
    locate: Annotated[str, Flag("see run_realtime.py", metavar="METHOD")] = "segment"
    model: Annotated[str, Flag("see run_realtime.py", metavar="NAME")] = "deep"


def killed(settings: KillSettings, index: Path, *, after: float) -> tuple[float, list[str]]:
    """Kill a run some seconds after its first row; the moment, and the lines of its twin."""
    command = [sys.executable, "-c", CHILD, str(settings.video), "--index", str(index),
               "--model", settings.model, "--locate", settings.locate]  # fmt: skip
    with (
        tempfile.TemporaryFile("w+") as lines,
        subprocess.Popen(command, stdout=lines, stderr=subprocess.DEVNULL) as process,
    ):
        deadline = time.monotonic() + START
        while not lines.seek(0, 2) and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
        time.sleep(after)
        moment = time.time()
        process.kill()
        process.wait()
        lines.seek(0)
        return moment, lines.read().splitlines()


def oldest_missing(index: Path, lines: list[str]) -> float | None:
    """The clock at which the oldest garment was seen that the index lacks; None if none is."""
    reader = Reader(index)
    try:
        there = reader.on_files(_last_by_track)
    finally:
        reader.close()
    rows = [line.split() for line in lines if len(line.split()) == 3]
    return min(
        (float(clock) for clock, track, last in rows if there.get(int(track), -1.0) < float(last)),
        default=None,
    )


def _last_by_track(base: "duckdb.DuckDBPyConnection", files: Files) -> dict[int, float]:
    """Seconds of the source in which each track was seen last, by the index."""
    if not files:
        return {}
    prepare_live(base, files)
    rows = Files(files.live, files_of_rows(base, files, "true"))
    sql = f"SELECT track, max(last) FROM ({stays_of(rows, ('track', 'last'))}) GROUP BY track"
    return dict(base.execute(sql).fetchall())


def main(argv: list[str] | None = None) -> int:
    arguments = Arguments(
        prog="python -m realtime.bench.search.kills",
        description="Kill runs that write an index, and count what is missing.",
    )
    add_fields(arguments, KillSettings)
    args = arguments.parse(argv)
    return exit_status(lambda: _run(read_fields(KillSettings, args)))


def _run(settings: KillSettings) -> int:
    rng, rows = random.Random(settings.seed), 0
    ages: list[float] = []
    for number in range(settings.rounds):
        with tempfile.TemporaryDirectory() as scratch:
            index = Path(scratch) / "index"
            moment, lines = killed(settings, index, after=rng.uniform(0.0, LONGEST))
            rows += len(lines)
            try:
                found = [oldest_missing(index, lines)]
                compact(index)
                found.append(oldest_missing(index, lines))
            except GarmentError as error:
                print(f"round {number}: {error}")
                continue
            ages += [max(moment - (moment if one is None else one) for one in found)]
    whole = sum(age <= SAFE for age in ages)
    print(f"{settings.rounds} kills: {len(ages)} indexes open, {whole} with all rows older than "
          f"{SAFE:g} s, before and after --compact; {rows} garments in frames; oldest missing, s: "
          f"median {median(ages):.2f}, at most {max(ages):.2f}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
