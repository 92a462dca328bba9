"""Records of what a unit's results depend on: as Make has them, but of contents and flags too.

Results are valid for one source, one set of settings, one set of weight files and one version of
the app. `Origin` has these four, `difference` names the first that is another one now.
"""

import dataclasses
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from preprocessing.errors import SourceError
from realtime import __version__
from realtime.analysis.locators import LOCATORS
from realtime.batch.stores import ENDS, RECORD, identity, in_store
from realtime.library.assemble import resolve
from realtime.settings import Recognition
from realtime.sources.segments import Segment
from training.inference import pose_files
from training.inference.weights import locate, sha256

SCHEMA = 1  # of the record; another one makes every unit anew
# Fields of Recognition that change no result; no file is live.
WITHOUT_EFFECT = ("threads", "latency")
FILES = ("model", "attributes", "wardrobe")  # those that name files, which are known by content
WEIGHTS = (".onnx", ".json", ".npz")  # and what is fitted to them
NEW, DAMAGED = "new", "results damaged"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """All that a unit's results depend on, as values of JSON.

    Attributes:
        version: of the app.
        source: path, size, time of change and ends of the file.
        settings: of the recognition, of the outputs, and the frames of the unit.
        weights: SHA-256 by name of file.
        schema: of the record.
    """

    source: Mapping[str, Any]
    settings: Mapping[str, Any]
    weights: Mapping[str, str]
    version: str = __version__
    schema: int = SCHEMA


def source_of(path: str) -> dict[str, Any]:
    """The path, size in bytes, time of change and SHA-256 of both ends of a file.

    Of a file in a store the URL, and its version instead of the time.

    Raises:
        SourceError: it cannot be read.
    """
    if in_store(path):
        return identity(path)
    try:
        with open(path, "rb") as file:
            found = os.fstat(file.fileno())
            ends = hashlib.sha256(file.read(ENDS))
            file.seek(max(0, found.st_size - ENDS))
            ends.update(file.read(ENDS))
    except OSError as error:
        raise SourceError(f"cannot open {path}: {error.strerror}") from error
    return {
        "path": path,
        "bytes": found.st_size,
        "mtime_ns": found.st_mtime_ns,
        "ends_sha256": ends.hexdigest(),
    }


def settings_of(recognition: Recognition, *, rows_only: bool) -> dict[str, Any]:
    """The settings that change results; what is automatic is what it comes to on this machine.

    Raises:
        WeightsError: there is no such model.
        DeviceError: engine and device contradict each other.
    """
    given = {name: value for name, value in asdict(recognition).items()
             if name not in WITHOUT_EFFECT}  # fmt: skip
    chosen = asdict(resolve(recognition))
    chosen["limbs"] = chosen.pop("pose")  # "pose" also decides how people are found
    files = {name: _file_name(given[name]) for name in FILES}
    return {**given, **chosen, **files, "rows_only": rows_only}


def _file_name(value: object) -> str | None:
    """A model's name; a file's absolute path."""
    if value is None:
        return None
    text = str(value)
    return os.path.abspath(text) if os.path.splitext(text)[1] else text


def weights_of(recognition: Recognition) -> dict[str, str]:
    """The SHA-256 of every file that the networks of the settings may read.

    Raises:
        WeightsError: there is no such model.
    """
    locator = resolve(recognition).locator
    named = (recognition.model, recognition.attributes, *LOCATORS[locator].networks)
    found = {path for name in named if name for path in _files_of(locate(name)[0])}
    if recognition.wardrobe:
        found.add(Path(recognition.wardrobe))
    if LOCATORS[locator].worn and recognition.pose is not False:
        found.update(pose_files.FOLDER / name for name in pose_files.FILES)
    files = (path for path in sorted(found) if path.is_file())
    return {f"{path.parent.name}/{path.name}": sha256(path) for path in files}


def _files_of(stem: Path) -> Iterable[Path]:
    """A network's weights and what was fitted to it, alone and together with another one."""
    names = (f"{stem.name}.", f"{stem.name}+")
    return (path for path in stem.parent.iterdir()
            if path.name.startswith(names) and path.suffix in WEIGHTS)  # fmt: skip


def origin_of(
    segment: Segment,
    *,
    source: Mapping[str, Any],
    settings: Mapping[str, Any],
    weights: Mapping[str, str],
) -> Origin:
    """The origin of a segment's results."""
    frames = {field.name: str(getattr(segment, field.name)) for field in dataclasses.fields(segment)
              if field.name != "path"}  # fmt: skip
    return Origin(source=source, settings={**settings, "frames": frames}, weights=weights)


def write_record(folder: Path, origin: Origin) -> None:
    """Record in a folder the origin of the results that it holds, and their sizes.

    Raises:
        OSError: it cannot be written.
    """
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    (folder / RECORD).write_text(json.dumps({**asdict(origin), "results": sizes}, default=str))


def difference(folder: Path, origin: Origin) -> str:
    """Why a folder does not hold whole results of an origin; "" if it does.

    That is NEW, DAMAGED, or the first part of the origin that changed, such as "source changed".
    """
    if not folder.is_dir():
        return NEW
    try:
        record = json.loads((folder / RECORD).read_text())
        wanted = json.loads(json.dumps(asdict(origin), default=str))
        if record["schema"] != wanted["schema"]:
            return "version changed"
        for part in ("source", "version", "settings", "weights"):
            if record[part] != wanted[part]:
                return f"{part} changed"
        sizes = record["results"]
        whole = all((folder / name).stat().st_size == size for name, size in sizes.items())
    except FileNotFoundError as error:
        return "version changed" if Path(error.filename).name == RECORD else DAMAGED
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return DAMAGED
    return "" if whole else DAMAGED


def plan_line(reasons: Iterable[str], *, videos: int, redo: bool = False) -> str:
    """How many units are reused, and why the others are made.

    Args:
        reasons: of `difference`, one a unit.
        redo: no unit is reused, whatever the reasons.
    """
    given = list(reasons)
    counts = Counter(one or "--no-resume" for one in given if one or redo)
    line = (f"{len(given)} units of {videos} videos, {len(given) - counts.total()} reused, "
            f"{counts.total()} to do")  # fmt: skip
    words = ", ".join(f"{count} {reason}" for reason, count in counts.items())
    return f"{line} ({words})" if words else line
