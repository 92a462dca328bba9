"""Results of a search: a table, JSON, a page, a contact sheet, crops."""

import base64
import html
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from preprocessing.errors import SinkError
from preprocessing.files import write_whole
from preprocessing.images.contact_sheets import contact_sheet, marked_tile
from preprocessing.images.pictures import write_image
from realtime.search.ranking import Result

TILE, COLUMNS = 160, 6  # pixels of a contact sheet's tiles, and tiles in a row
STYLE = """
:root{color-scheme:light dark}
body{margin:0 auto;max-width:72rem;padding:1rem;font:16px/1.45 system-ui,sans-serif;
background:light-dark(#f6f6f4,#16181b);color:light-dark(#1c1e21,#e8e8e6)}
h1{font-size:1.3rem;margin:0}p{color:light-dark(#5d6167,#a2a6ac);margin:.2rem 0}
main{display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:1rem}
article{background:light-dark(#fff,#202327);border-radius:.4rem;padding:.6rem}
img{height:9rem;max-width:100%}
"""
HEAD = ("sure", "when", "where", "person", "what")


def when(result: Result) -> str:
    """The local time, or the time in the source if the clock is not known."""
    if result.first_wall is None or result.last_wall is None:
        shown = [f"{clock(since)}-{clock(until)}" for since, until in result.spans[:3]]
        return ", ".join(shown) + (" ..." if len(result.spans) > 3 else "")
    first, last = (_local(one) for one in (result.first_wall, result.last_wall))
    same = first.date() == last.date()
    return f"{first:%Y-%m-%d %H:%M:%S}-{last:{'%H:%M:%S' if same else '%Y-%m-%d %H:%M:%S'}}"


def clock(seconds: float) -> str:
    """A time in a source, as 1:02:03 or 2:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _local(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC).astimezone()


def where(result: Result) -> str:
    """The camera with its place."""
    return f"{result.camera} ({result.place})" if result.place else result.camera


def table(results: Sequence[Result]) -> str:
    """A line a result, aligned."""
    rows = [HEAD, *((f"{one.sure:.0%}", when(one), where(one), str(one.person or "-"),
                     "; ".join(one.reasons)) for one in results)]  # fmt: skip
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEAD) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    )


def as_json(results: Sequence[Result]) -> str:
    """The results as a JSON list."""
    return json.dumps([_fields(one) for one in results], indent=1)


def _fields(result: Result) -> dict[str, Any]:
    row = result.best.row
    return {
        "sure": round(result.sure, 4), "camera": result.camera, "place": result.place,
        "source": result.source, "run": result.run, "person": result.person,
        "spans": [[round(side, 3) for side in span] for span in result.spans],
        "first": _iso(result.first_wall), "last": _iso(result.last_wall),
        "reasons": list(result.reasons), "stay": row["stay"], "frame": row["frame"],
        "time": row["time"], "box": row["box"],
    }  # fmt: skip


def _iso(moment: datetime | None) -> str | None:
    return moment.replace(tzinfo=UTC).isoformat() if moment else None


def write_text(path: Path, text: str) -> None:
    """Write a text file.

    Raises:
        SinkError: it cannot be written.
    """
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror}") from error


def page(title: str, results: Sequence[Result], crops: Mapping[int, bytes]) -> str:
    """A page that needs nothing else: the crops with when, where and why."""
    cards = "\n".join(_card(one, crops) for one in results)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title><style>{STYLE}</style></head><body>
<h1>{html.escape(title)}</h1><p>{len(results)} found, the surest first</p>
<main>{cards}</main></body></html>
"""


def _card(result: Result, crops: Mapping[int, bytes]) -> str:
    pictures = "".join(
        f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(crops[stay]).decode()}">'
        for stay in best_stays(result) if stay in crops
    )  # fmt: skip
    person = f", person {result.person}" if result.person else ""
    why = "".join(f"<p>{html.escape(reason)}</p>" for reason in result.reasons)
    return (f"<article>{pictures}<b>{result.sure:.0%}</b> {html.escape(where(result))}{person}"
            f"<p>{html.escape(when(result))}</p>{why}</article>")  # fmt: skip


def best_stays(result: Result) -> list[int]:
    """The stays that fit each item best, each once."""
    best: dict[int, Any] = {}
    for one in result.seen:
        if one.item not in best or one.score > best[one.item].score:
            best[one.item] = one
    return list(dict.fromkeys(one.row["stay"] for one in best.values()))


def sheet(results: Sequence[Result], crops: Mapping[int, bytes]) -> np.ndarray:
    """A contact sheet BGR uint8 (H, W, 3) of the results' crops; there is at least one."""
    tiles, captions = [], []
    for result in results:
        for stay in best_stays(result):
            if stay in crops:
                picture = cv2.imdecode(np.frombuffer(crops[stay], np.uint8), cv2.IMREAD_COLOR)
                assert picture is not None, "a crop of the index is a JPEG"
                tiles.append(marked_tile(picture, (), side=TILE))
                captions.append(
                    f"{result.sure:.0%} {result.camera[:14]} {clock(result.spans[0][0])}"
                )
    return contact_sheet(tiles, columns=COLUMNS, captions=captions)


def write_crops(folder: Path, results: Sequence[Result], crops: Mapping[int, bytes]) -> int:
    """Write crops by rank, as 001-CAMERA-STAY.jpg; their number.

    Raises:
        SinkError: one cannot be written.
    """
    count = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for rank, result in enumerate(results, start=1):
            for stay in best_stays(result):
                if stay in crops:
                    (folder / f"{rank:03d}-{result.camera}-{stay:x}.jpg").write_bytes(crops[stay])
                    count += 1
    except OSError as error:
        raise SinkError(f"cannot write into {folder}: {error.strerror}") from error
    return count


def write_sheet(path: Path, results: Sequence[Result], crops: Mapping[int, bytes]) -> None:
    """Write the contact sheet, if anything was found.

    Raises:
        SinkError: it cannot be written.
    """
    if crops:
        write_image(path, sheet(results, crops))
