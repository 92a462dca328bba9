"""Times queries on a generated index: `python -m realtime.bench.search.scale --rows 10000000`.

Cameras and days are partitions, as those of real footage are; crops are left out, since no query
reads them. Each query runs in a process of its own, several times; while others append to the
index, a garment that only they write has to be found as often as they wrote it.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from preprocessing.errors import exit_status
from preprocessing.flags import POSITIVE, Arguments, Flag, add_fields, read_fields
from preprocessing.images.colours import FAMILIES, lab_of_codes
from preprocessing.labels import GARMENT_CLASSES, general_names
from realtime.bench.answers import Cell, markdown
from realtime.search.schema import COLUMNS, Stay, begin, cell_of, partition, schema
from realtime.search.storage import RunWriter
from realtime.search.summary import DIMENSIONS, SUMMARY, summarise

if TYPE_CHECKING:
    import duckdb

    from realtime.search.reader import Files, Reader

CAMERAS, BATCH = 50, 5000  # cameras, and rows of a camera's day
START = datetime(2026, 1, 1, 6)
REPEATS = 5
QUERIES = ("red jumper", "red jumper, blue jeans without a hat", "yellow dress camera cam07",
           "black coat between 10:00 and 11:30 on 2026-01-02")  # fmt: skip
APPENDED = "teal hat camera appended"
APPENDS = 20
TONES = [(name, code) for name, codes in FAMILIES.items() for code in codes.split()]
LEAVES = tuple(GARMENT_CLASSES)
SHARES = np.array((14, 14, 10, 12, 5, 20, 4, 3, 12, 2, 4)) / 100  # of LEAVES


@dataclass(frozen=True, kw_only=True)
class ScaleSettings:
    """Size of the index."""

    rows: Annotated[int, Flag("rows", POSITIVE, "N")] = 1_000_000
    keep: Annotated[
        Path | None, Flag("folder of the index, used again if it is there", metavar="DIR",
                          default="none"),
    ] = None  # fmt: skip
    ask: Annotated[str, Flag("ask for this alone, and print figures as JSON", metavar="WORDS")] = ""


def generate(index: Path, rows: int) -> None:
    """Write an index of random stays."""
    begin(index)
    rng = np.random.default_rng(0)
    pool = rng.normal(size=(4096, DIMENSIONS)).astype(np.float32)
    labs = lab_of_codes([code for _, code in TONES])
    for number in tqdm(range(-(-rows // BATCH)), "camera days", disable=None):
        table = _day(number, rng, pool, labs)
        day = table["first_wall"][0].as_py().strftime("%Y-%m-%d")
        folder = partition(index, day=day, camera=table["camera"][0].as_py())
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"run{number}-0.parquet").open("wb") as file:
            pq.write_table(table.sort_by("leaf"), file, row_group_size=4096, compression="lz4")


def _day(number: int, rng: np.random.Generator, pool: np.ndarray, labs: np.ndarray) -> pa.Table:
    """The rows of one camera's day."""
    camera, day = f"cam{number % CAMERAS:02d}", START + timedelta(days=number // CAMERAS)
    leaf = rng.choice(len(LEAVES), BATCH, p=SHARES)
    tone = rng.integers(len(TONES), size=BATCH)
    lab = labs[tone] + rng.normal(scale=6, size=(BATCH, 3))
    first = np.sort(rng.uniform(0, 50_000, BATCH))
    part = rng.beta(8, 1.5, BATCH)
    levels = [np.array([len(general_names(name)) for name in LEAVES])[leaf]]
    kind = part * rng.beta(5, 1.5, BATCH)
    group = np.where(levels[0] == 3, part * 0.5 + kind * 0.5, kind)
    embeddings = pool[rng.integers(len(pool), size=BATCH)]
    embeddings = embeddings + rng.normal(scale=0.7, size=embeddings.shape).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    names = [LEAVES[n] for n in leaf]
    walls = [day + timedelta(seconds=float(s)) for s in first]
    columns = {
        "stay": number * BATCH + np.arange(BATCH, dtype=np.uint64), "version": np.ones(BATCH),
        "open": [False] * BATCH, "run": [f"run{number}"] * BATCH, "camera": [camera] * BATCH,
        "source": [f"{camera}.mp4"] * BATCH, "place": [""] * BATCH, "first": first,
        "last": first + 5, "first_wall": walls,
        "last_wall": [wall + timedelta(seconds=5) for wall in walls],
        "frames": rng.integers(1, 300, BATCH), "person": np.arange(BATCH) // 3 + 1,
        "track": np.arange(BATCH), "name": names, "probability": kind, "leaf": names,
        "part_p": part, "group_p": group, "leaf_p": kind, "colour": [TONES[n][0] for n in tone],
        "lightness": lab[:, 0], "green_red": lab[:, 1], "blue_yellow": lab[:, 2],
        "cell": cell_of(lab), "crowding": rng.uniform(0.2, 0.5, BATCH),
        "embedding": [row.tobytes() for row in embeddings.astype(np.float16)],
    }  # fmt: skip
    wanted = schema()
    empty = pa.nulls(BATCH)
    return pa.Table.from_arrays(
        [pa.array(columns[name]).cast(wanted.field(name).type, safe=False) if name in columns
         else empty.cast(wanted.field(name).type) for name in COLUMNS], schema=wanted,
    )  # fmt: skip


def timed(ask: Callable[[], int]) -> dict[str, float]:
    """Seconds of the first call, medians of the others, results, and the process's peak in MB."""
    times, processor = [], []
    for _ in range(REPEATS + 1):
        start, used = time.perf_counter(), time.process_time()
        count = ask()
        times.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    return {"first": times[0], "median": float(np.median(times[1:])), "results": count,
            "cpu": float(np.median(processor[1:])), "MB": peak_megabytes()}  # fmt: skip


def peak_megabytes() -> float:
    """The most memory that this process had, in MB; of Linux, that of its own program alone."""
    status = Path("/proc/self/status")
    if not status.exists():
        import resource  # which Windows lacks

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def ask_for(index: Path, words: str) -> dict[str, float]:
    """Time a query by words, or with "like" by a random embedding."""
    from realtime.search.reader import Reader

    reader = Reader(index)
    if words == "like":
        return timed(lambda: _like(reader))
    from realtime.search.query import read_query
    from realtime.search.ranking import find

    return timed(lambda: len(find(reader, read_query(words))))


def _like(reader: "Reader") -> int:
    from realtime.search.likeness import nearest

    example = np.random.default_rng(0).normal(size=(1, DIMENSIONS)).astype(np.float32)
    example /= np.linalg.norm(example)

    def ask(base: "duckdb.DuckDBPyConnection", files: "Files") -> int:
        return len(nearest(base, files, example, np.full(1, 0.3), count=50).stays)

    return reader.on_files(ask)


def appended(index: Path) -> str:
    """Count what is appended while it is."""
    from realtime.search.query import read_query
    from realtime.search.ranking import find
    from realtime.search.reader import Reader

    writer, reader, wrong = RunWriter(index, f"appended-{os.getpid()}"), Reader(index), 0
    writer.open()
    before = len(find(reader, read_query(APPENDED), most=10_000))
    cell = int(cell_of(lab_of_codes(["008080"]))[0])
    for number in range(1, APPENDS + 1):
        writer.append([Stay(
            stay=2**60 + os.getpid() * 1000 + number, version=1, open=False, run=writer.run,
            camera="appended", source="", place="", first=0.0, last=1.0, frames=50, person=number,
            name="hat", leaf="hat", part_p=0.9, group_p=0.9, leaf_p=0.9, colour="teal", cell=cell,
        )])  # fmt: skip
        found = len(find(reader, read_query(APPENDED), most=10_000))
        wrong += found != before + number
    writer.close()
    after = len(find(reader, read_query(APPENDED), most=10_000))
    reader.close()
    return f"{APPENDS} appends: {wrong} wrong counts meanwhile, {after - before} rows found after"


def main(argv: Sequence[str] | None = None) -> int:
    arguments = Arguments(
        prog="python -m realtime.bench.search.scale",
        description="Time queries on a large generated index.",
    )
    add_fields(arguments, ScaleSettings)
    args = arguments.parse(argv)
    return exit_status(lambda: _run(read_fields(ScaleSettings, args)))


def _run(settings: ScaleSettings) -> int:
    if settings.ask:
        assert settings.keep is not None, "the parent gives both"
        print(json.dumps(ask_for(settings.keep, settings.ask)))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        index = settings.keep or Path(scratch) / "index"
        if not (index / SUMMARY).exists():
            generate(index, settings.rows)
            summarise(index)
        rows: list[tuple[Cell, ...]] = []
        for words in (*QUERIES, "like"):
            command = [sys.executable, "-m", "realtime.bench.search.scale", "--keep", str(index),
                       "--ask", words]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            figures = json.loads(done.stdout)
            rows.append((words, *(float(figures[name]) for name in ("first", "median", "cpu")),
                         int(figures["results"]), int(figures["MB"])))  # fmt: skip
        print(
            markdown(("query", "first s", "median s", "median CPU s", "results", "peak MB"), rows)
        )
        print(appended(index))
    return 0


if __name__ == "__main__":
    sys.exit(main())
