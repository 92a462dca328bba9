"""`python -m realtime.search DIR "red hoodie, blue jeans"`: searches an index."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from preprocessing.errors import SinkError, UsageError, exit_status
from preprocessing.flags import POSITIVE, Arguments, Flag, add_fields, read_fields

if TYPE_CHECKING:
    from realtime.search.ranking import Result
    from realtime.search.reader import Reader

EPILOG = """\
examples:
  python -m realtime.search DIR "red hoodie, blue jeans without a hat"
  python -m realtime.search DIR "white coat between 10:00 and 11:30 camera door" --html found.html
  python -m realtime.search DIR --like photo.jpg --sheet found.png
  python -m realtime.search DIR --compact --keep 30d

Words that are not understood are named on stderr, and the rest is searched.

exit status:
  0 searched, even if nothing was found; 2 a wrong flag, or no word of the query was understood;
  5 an output cannot be written; 6 weight file (--like); 8 no index, or it is damaged
"""
DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
FRACTION = "how sure a result has to be, 0 to 1"


def _days(text: str) -> float:
    found = re.fullmatch(r"(\d+)([dwmy]?)", text)
    if not found:
        raise ValueError(text)
    return int(found[1]) * DAYS[found[2] or "d"]


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """The query, and its outputs.

    Raises:
        UsageError: nothing is asked for, or a number is out of range.
    """

    index: Annotated[Path, Flag("folder of the index", metavar="DIR", name="index")]
    query: Annotated[
        str, Flag("garments in words, times, cameras", metavar="WORDS", name="query", nargs="?")
    ] = ""
    like: Annotated[
        Path | None,
        Flag("find what looks like the garment in a picture", metavar="PICTURE", default="none"),
    ] = None
    most: Annotated[int, Flag("results at most", POSITIVE, metavar="N")] = 50
    least: Annotated[float, Flag(FRACTION, metavar="P", default="0.3; of --like 0.5")] = -1.0
    json: Annotated[bool, Flag("print JSON in place of the table")] = False
    html: Annotated[
        Path | None, Flag("write a page with the crops", metavar="FILE", default="none")
    ] = None
    sheet: Annotated[
        Path | None, Flag("write a contact sheet of the crops", metavar="FILE", default="none")
    ] = None
    crops: Annotated[
        Path | None, Flag("write the crops by rank", metavar="DIR", default="none")
    ] = None
    clips: Annotated[
        Path | None,
        Flag("write clips, cut from the files at key frames", metavar="DIR", default="none"),
    ] = None
    compact: Annotated[bool, Flag("complete killed runs, and merge small files")] = False
    keep: Annotated[
        float | None,
        Flag("with --compact: days that are kept, such as 30d, 8w, 1y; undated footage is kept",
             metavar="TIME", default="all", reads=_days, wanted="days such as 30d, 8w or 1y"),
    ] = None  # fmt: skip

    def __post_init__(self) -> None:
        if not (self.query or self.like or self.compact):
            raise UsageError('nothing to search: give WORDS such as "red hoodie, blue jeans", '
                             "--like PICTURE, or --compact")  # fmt: skip
        if self.keep is not None and not self.compact:
            raise UsageError("--keep removes days: give --compact as well")
        if self.query and self.like:
            raise UsageError("give WORDS or --like PICTURE, not both")
        if self.least > 1:
            raise UsageError(f"--least must be 0 to 1, got {self.least:g}")


def main(argv: Sequence[str] | None = None) -> int:
    """Search an index; the exit status is documented in --help."""
    arguments = Arguments(
        prog="python -m realtime.search",
        description="Search an index that `run_realtime.py SOURCE --index DIR` made, by words or "
        "by example; it may be written meanwhile.",
        epilog=EPILOG,
    )
    add_fields(arguments, SearchSettings)
    return exit_status(lambda: _run(read_fields(SearchSettings, arguments.parse(argv))))


def _run(settings: SearchSettings) -> int:
    from realtime.search.schema import check

    check(settings.index)
    if settings.compact:
        print(_compacted(settings))
        if not (settings.query or settings.like):
            return 0
    from realtime.search import outputs
    from realtime.search.reader import Reader

    reader = Reader(settings.index)
    try:
        results = _like(reader, settings) if settings.like else _words(reader, settings)
        if settings.json:
            print(outputs.as_json(results))
        else:
            print(outputs.table(results) if results else "nothing found")
        _write(reader, results, settings)
    finally:
        reader.close()
    return 0


def _compacted(settings: SearchSettings) -> str:
    from realtime.search.storage import compact

    runs, merged, removed = compact(settings.index, keep_days=settings.keep)
    return f"completed {runs} killed runs, merged {merged} files, removed {removed} camera days"


def _words(reader: "Reader", settings: SearchSettings) -> "list[Result]":
    from realtime.search.query import read_query
    from realtime.search.ranking import LEAST, find

    query = read_query(settings.query, taught=reader.leaves())
    for note in query.notes:
        print(note, file=sys.stderr)
    if query.unknown:
        print(f"not understood: {', '.join(query.unknown)}", file=sys.stderr)
    least = LEAST if settings.least < 0 else settings.least
    return find(reader, query, least=least, most=settings.most)


def _like(reader: "Reader", settings: SearchSettings) -> "list[Result]":
    from realtime.search.likeness import find_like

    assert settings.like is not None
    least = 0.5 if settings.least < 0 else settings.least
    return find_like(reader, settings.like, least=least, most=settings.most)


def _write(reader: "Reader", results: "list[Result]", settings: SearchSettings) -> None:
    from realtime.search import outputs

    wanted = [stay for one in results for stay in outputs.best_stays(one)]
    pictured = settings.html or settings.sheet or settings.crops
    crops = reader.heavy(wanted, "crop") if pictured else {}
    if settings.html:
        title = settings.query or f"like {settings.like}"
        outputs.write_text(settings.html, outputs.page(title, results, crops))
    if settings.sheet:
        outputs.write_sheet(settings.sheet, results, crops)
    if settings.crops:
        outputs.write_crops(settings.crops, results, crops)
    if settings.clips:
        _cut(results, settings.clips)


def _cut(results: "list[Result]", folder: Path) -> None:
    from realtime.search.clips import clips_of, cut

    found, missing = clips_of(results, folder)
    for clip in found:
        cut(clip)
    if missing:
        print(f"no clips of {', '.join(missing[:3])}: not a file, or not there any more",
              file=sys.stderr)  # fmt: skip
    if missing and not found:
        raise SinkError("no clip could be cut: the sources are streams, or files that are gone")


if __name__ == "__main__":
    sys.exit(main())
