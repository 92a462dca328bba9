"""Units of an archive: how the rows of a video's units become one table."""

from dataclasses import replace

import make
import pytest

from realtime.batch.provenance import Origin
from realtime.batch.units import ROWS, Counts, Unit, damage, discard_others, join
from realtime.sources.segments import Segment


@pytest.fixture
def parquet():
    return pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")


ORIGIN = Origin(source={}, settings={}, weights={})


def unit(folder, number, *counts, incomplete=0):
    """A unit of ten frames, with its counts in its folder if there are any."""
    segment = Segment("in.mp4", 10 * number, 10 * number + 10, 0, incomplete=incomplete)
    found = Unit(segment, folder / f"{number:06d}", number, ORIGIN)
    for one in counts:
        found.folder.mkdir()
        one.write(found.folder)
    return found


def test_numbers_of_tracks_and_people_differ_from_unit_to_unit(tmp_path, parquet):
    from realtime.sinks.rows import ParquetSink

    units = [unit(tmp_path, number, Counts(written=10)) for number in range(2)]
    for one in units:
        worn, lying = make.garment(person=3), make.garment("bag", track=2)
        sink = ParquetSink(one.folder / ROWS)
        make.write_all(sink, make.labelled(one.segment.first, worn, lying))
    (tmp_path / "all.new").write_text("mine")
    assert join(units, tmp_path / "all.1", "in.mp4") == 20  # a name with a dot keeps its end
    assert (tmp_path / "all.new").read_text() == "mine"
    rows = parquet.read_table(tmp_path / "all.1.parquet").to_pylist()
    assert [(row["frame"], row["track"], row["person"]) for row in rows] == [
        (0, 1, 3), (0, 2, None), (10, 1_000_001, 1_000_003), (10, 1_000_002, None),
    ]  # fmt: skip


def test_frames_are_counted_on_from_what_was_decoded(tmp_path, parquet):
    from realtime.sinks.rows import ParquetSink

    written = (7, 0, 10)
    units = [unit(tmp_path, n, Counts(written=count)) for n, count in enumerate(written)]
    for one in (units[0], units[2]):
        make.write_all(
            ParquetSink(one.folder / ROWS), make.labelled(one.segment.first, make.garment())
        )
    assert join(units, tmp_path / "all", "in.mp4") == 17
    assert parquet.read_table(tmp_path / "all.parquet")["frame"].to_pylist() == [0, 7]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([Counts(written=10), Counts(written=10)], ""),
        ([Counts(written=10, failed=3), Counts(written=10)], ""),  # before its first frame
        ([Counts(written=10), Counts(written=8)], ""),  # pictures that are never shown
        ([Counts(written=9, failed=1), Counts(written=8)], "3 frames are lost, the other 17"),
        ([Counts(written=10), Counts(written=4, truncated=True)], "ends after 14 frames"),
    ],
)
def test_damage_is_what_the_decoder_says_is_one(tmp_path, counts, words):
    units = [unit(tmp_path, number, one) for number, one in enumerate(counts)]
    found = damage(units)
    assert words in found and bool(found) == bool(words)


def test_packets_that_lack_a_part_are_damage_whatever_they_decode_to(tmp_path):
    units = [unit(tmp_path, n, Counts(written=n + 9), incomplete=2) for n in range(2)]
    assert damage(units).startswith("is damaged: 1 frames are lost, the other 19")
    assert damage(units[1:]) == "is damaged: parts of 2 of its 10 frames are lost"
    skipped = [replace(units[1], segment=replace(units[1].segment, skipped=True))]
    assert damage(skipped).startswith("is damaged: parts of it cannot be read, 10 frames")


def test_units_that_a_video_has_no_more_are_removed(tmp_path):
    units = [unit(tmp_path, number, Counts(written=10)) for number in range(3)]
    (tmp_path / "video.json").touch()
    discard_others(tmp_path, units[:2])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000000", "000001", "video.json"]
