"""Search by example: embeddings of garments, and the stays whose embeddings are nearest.

Stays in summaries are chosen by their sketches first, MANY of them by their embeddings; all others
by their embeddings at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from preprocessing.images.pictures import read_picture
from preprocessing.images.regions import Region
from realtime.search.ranking import SHOWN, Result, result_of
from realtime.search.reader import (
    Files,
    Reader,
    details,
    files_of_rows,
    prepare_live,
    quoted,
)
from realtime.search.summary import BITS, DIMENSIONS, Summary, sketches
from training.classification.teaching import Describer, load_finder
from training.inference.embedding import EmbeddingSpace, read_space

if TYPE_CHECKING:
    import duckdb

MODEL = "photo"
MANY = 4096  # stays of a summary whose embeddings are compared, the nearest by their sketches
CHUNK = 200_000  # sketches at a time
BATCH = 20_000  # embeddings at a time


class Embedder:
    """Describes garments by the network MODEL.

    Raises:
        WeightsError: its files are missing or damaged.
    """

    def __init__(self) -> None:
        self._describe = Describer(MODEL)
        self.space: EmbeddingSpace = read_space(self._describe.stem)

    def __call__(self, image: np.ndarray, region: Region) -> tuple[bytes, float]:
        """The embedding float16 as bytes, and its crowding, of a garment in BGR (H, W, 3)."""
        found = self.space.embed(self._describe(image, region)[None])
        return found[0].astype(np.float16).tobytes(), float(self.space.crowding(found)[0])

    def example(self, image: np.ndarray) -> np.ndarray:
        """Embeddings float32 (V, D) of the largest garment in a picture, and of views of it."""
        region = load_finder("parser")(image)
        assert region is not None, "without a layer there is always one"
        return self.space.embed(self._describe.prototypes(image, region))


@dataclass(frozen=True)
class Nearest:
    """Stays with their scores, the best first."""

    stays: np.ndarray
    scores: np.ndarray

    def best(self, count: int) -> "Nearest":
        """The best of them, each stay once."""
        order = np.argsort(-self.scores, kind="stable")
        _, first = np.unique(self.stays[order], return_index=True)
        order = order[np.sort(first)][:count]
        return Nearest(self.stays[order], self.scores[order])

    def __add__(self, other: "Nearest") -> "Nearest":
        return Nearest(np.concatenate([self.stays, other.stays]),
                       np.concatenate([self.scores, other.scores]))  # fmt: skip


NOTHING = Nearest(np.zeros(0, np.uint64), np.zeros(0, np.float32))


def find_like(reader: Reader, picture: Path, *, least: float, most: int) -> list[Result]:
    """The stays whose garments look like the one in a picture, the surest first.

    Args:
        least: probability that it is the same garment.

    Raises:
        DataError: the picture or the index cannot be read.
        WeightsError: a network is missing or damaged.
    """
    embedder = Embedder()
    example = embedder.example(read_picture(picture))
    return find_near(reader, example, embedder.space, least=least, most=most)


def find_near(
    reader: Reader, example: np.ndarray, space: EmbeddingSpace, *, least: float, most: int
) -> list[Result]:
    """The stays that are nearest to an example's embeddings (V, D), as `find_like`."""
    crowding = space.crowding(example)
    decision = space.decision

    def ask(base: "duckdb.DuckDBPyConnection", files: Files) -> list[Result]:
        near = nearest(base, files, example, crowding, count=most)
        sure = 1 / (1 + np.exp(-decision.slope * near.scores + decision.shift))
        by_stay = {int(s): float(p) for s, p in zip(near.stays, sure, strict=True) if p >= least}
        return _results(base, files, by_stay) if by_stay else []

    return reader.on_files(ask)


def nearest(
    base: "duckdb.DuckDBPyConnection", files: Files, example: np.ndarray, crowding: np.ndarray,
    *, count: int,
) -> Nearest:  # fmt: skip
    """The stays that are nearest to embeddings (V, D) with their crowding (V,)."""
    found = NOTHING
    for summary, gone in files.summaries:
        found = (found + _in_summary(summary, gone, example, crowding)).best(count)
    for stays, embeddings, others in _in_files(base, files):
        scores = _scores(embeddings, others, example, crowding)
        found = (found + Nearest(stays, scores)).best(count)
    return found


def _scores(
    embeddings: np.ndarray, others: np.ndarray, example: np.ndarray, crowding: np.ndarray
) -> np.ndarray:
    """How alike embeddings (N, D) with crowding (N,) and an example are, float32 (N,)."""
    alike = embeddings.astype(np.float32) @ example.T - (others[:, None] + crowding[None]) / 2
    return alike.mean(axis=1)


def _in_files(
    base: "duckdb.DuckDBPyConnection", files: Files
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Stays, embeddings and crowding of what is in no summary."""
    paths = [*files.live, *files.rows]
    if not paths:
        return
    listed = ", ".join(map(quoted, paths))
    sql = (f"SELECT stay, embedding, crowding FROM read_parquet([{listed}], "
           "hive_partitioning=false) WHERE embedding IS NOT NULL")  # fmt: skip
    for batch in base.sql(sql).to_arrow_reader(BATCH):
        stays, others = batch["stay"].to_numpy(), batch["crowding"].to_numpy()
        joined = b"".join(batch["embedding"].to_pylist())
        yield stays, np.frombuffer(joined, np.float16).reshape(-1, DIMENSIONS), others


def _in_summary(
    summary: Summary, gone: tuple[int, ...], example: np.ndarray, crowding: np.ndarray
) -> Nearest:
    """The stays of a summary that may be nearest, with their scores.

    Args:
        gone: numbers of files that are there no more.
    """
    import pyarrow.parquet as pq

    others = np.load(summary.beside("crowding"), mmap_mode="r")
    bits = sketches(example.mean(axis=0, keepdims=True))[0]
    places = _by_sketch(summary.beside("sketches"), bits, count=MANY)
    embeddings = np.load(summary.beside("embeddings"), mmap_mode="r")[places]
    near = others[places]
    scores = np.where(
        np.isnan(near), -1, _scores(embeddings, np.nan_to_num(near), example, crowding)
    )
    table = pq.read_table(summary.path, columns=["stay", "file"], memory_map=True)
    there = ~np.isin(table["file"].to_numpy()[places], gone) & ~np.isnan(near)
    return Nearest(table["stay"].to_numpy()[places][there], scores[there])


def _by_sketch(path: Path, bits: np.ndarray, *, count: int) -> np.ndarray:
    """The places of the sketches that differ in the fewest bits, without an order."""
    every = np.load(path, mmap_mode="r")
    distances = np.empty(len(every), np.uint16)
    for start in range(0, len(every), CHUNK):
        some = np.bitwise_count(every[start : start + CHUNK] ^ bits)
        distances[start : start + CHUNK] = some.sum(axis=1, dtype=np.uint16)
    if len(distances) <= count:
        return np.arange(len(distances))
    limit = np.flatnonzero(np.bincount(distances, minlength=BITS + 1).cumsum() >= count)[0]
    return np.flatnonzero(distances <= limit)


def _results(
    base: "duckdb.DuckDBPyConnection", files: Files, by_stay: dict[int, float]
) -> list[Result]:
    """Results of stays by their probabilities."""
    where = f"stay IN ({', '.join(map(str, by_stay))})"
    prepare_live(base, files)
    rows = details(base, Files(files.live, files_of_rows(base, files, where)), SHOWN, where)
    unique = {row["stay"]: row for row in rows}
    found = [
        result_of([(row, by_stay[stay])], sure=by_stay[stay],
                  reasons=(f"looks like it: {by_stay[stay]:.0%}, {row['colour']} {row['name']}",))
        for stay, row in unique.items()
    ]  # fmt: skip
    return sorted(found, key=lambda one: (-one.sure, one.best.row["stay"]))
