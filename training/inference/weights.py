"""Weight files and their metadata.

`weights/NAME.onnx` is a network, with its metadata inside; they are repeated, with the file's
checksum, in `weights/manifest.json`.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from preprocessing.datasets.attribute_table import Attribute
from preprocessing.errors import WeightsError

WEIGHTS_DIR = Path(__file__).resolve().parents[2] / "weights"
MANIFEST = "manifest.json"
METADATA_KEY = "garment"  # of the JSON text inside the file
MAX_METADATA = 1 << 20  # bytes; longer ones are not ours
METADATA_PROPS = 14  # the field of an onnx.ModelProto; each has the fields 1, a key, and 2, a value
KEYS = {"network_input": "cut"}  # in files, where they differ from the field's name
HEADS = ("linear", "hidden", "custom", "bilinear")
STRIDE = 32  # pixels; sides of the input of detectors and parsers are multiples of it
ROLES = {  # by task: the role of such a model, and the flag that takes it
    "classify": ("classifier", "--model"),
    "detect": ("detector", "--locate"),
    "parse": ("parser", "--locate"),
    "attributes": ("attribute model", "--attributes"),
    "deepfashion": ("DeepFashion model", "training.predict --model"),
}


@dataclass(frozen=True)
class Shape:
    """Input and output of a classifier, which decide the shapes of its weights.

    Attributes:
        classes: number of outputs.
        size: side of the square input in pixels.
        channels: 1 (grey) or 3 (BGR).
        head: a name of HEADS.
    """

    classes: int
    size: int = 28
    channels: int = 1
    head: str = "linear"


@dataclass(frozen=True)
class WeightsInfo:
    """Metadata of a weight file.

    Attributes:
        network: row of MODELS that the tensors fit.
        classes: names in the order of the network's outputs.
        network_input: row of NETWORK_INPUTS, how a garment becomes the network's input.
        size: side of the square input in pixels; `channels` 1 (grey) or 3 (BGR).
        mean, std: of the training pixels on a scale of 0 to 1; the network's first layer applies
            them, so that the input is raw uint8 (N, channels, size, size).
        temperature: divisor of the logits that calibrates them.
        metrics: figures measured after training, e.g. accuracy on the test set.
        head: the network's head, a name of HEADS.
        task: "classify", "detect" (boxes with classes), "parse" (a class for every pixel),
            "attributes" (a class for each attribute) or "deepfashion".
        attributes: of the last two, the attributes that the outputs consist of; `classes` are then
            those of all, one after the other.
        confidence: of a detector, the minimum score of a box, chosen on validation.
        command, commit: that made the file.
    """

    name: str
    network: str
    classes: tuple[str, ...]
    network_input: str
    size: int
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    temperature: float
    metrics: dict[str, Any] = field(default_factory=dict)
    head: str = "linear"
    task: str = "classify"
    confidence: float = 0.0
    attributes: tuple[Attribute, ...] = ()
    command: str = ""
    commit: str = ""

    @property
    def shape(self) -> Shape:
        """The shape that the network is built to."""
        return Shape(len(self.classes), size=self.size, channels=self.channels, head=self.head)

    def has_classes_of(self, other: "WeightsInfo") -> bool:
        """True if both have the same classes, in any order."""
        return set(self.classes) == set(other.classes)

    def to_values(self) -> dict[str, Any]:
        """The fields by their keys in files."""
        return {KEYS.get(name, name): value for name, value in asdict(self).items()}

    def to_json(self) -> str:
        """The fields as JSON text."""
        return json.dumps(self.to_values())

    @classmethod
    def from_json(cls, text: str, *, path: Path) -> "WeightsInfo":
        """The metadata of a file.

        Raises:
            WeightsError: a field is missing, unknown or of a wrong type.
        """
        fields = {key: name for name, key in KEYS.items()}
        try:
            values = {fields.get(key, key): value for key, value in json.loads(text).items()}
            info = cls(**values)
            return replace(
                info,
                classes=tuple(str(name) for name in info.classes),
                size=int(info.size),
                channels=int(info.channels),
                mean=tuple(map(float, info.mean)),
                std=tuple(map(float, info.std)),
                temperature=float(info.temperature),
                confidence=float(info.confidence),
                attributes=tuple(
                    Attribute(one["name"], tuple(one["codes"]), tuple(one["titles"]), one["kind"])
                    for one in values.get("attributes", ())
                ),
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise WeightsError(f"{path}: metadata is damaged ({error})") from error


def read_info(path: Path) -> WeightsInfo:
    """The metadata inside an .onnx file, without its tensors and without the package onnx.

    Raises:
        WeightsError: no such file, not ONNX, or no metadata of ours in it.
    """
    try:
        with path.open("rb") as file:
            text = _metadata(file)[METADATA_KEY]
    except FileNotFoundError as error:
        raise WeightsError(f"no weights {path}: {remedy(path.stem)}") from error
    except KeyError as error:
        raise WeightsError(f"{path} is damaged (no metadata): {remedy(path.stem)}") from error
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} is damaged ({error}): {remedy(path.stem)}") from error
    return WeightsInfo.from_json(text, path=path)


def _metadata(file: BinaryIO) -> dict[str, str]:
    """The texts of metadata by their keys.

    Raises:
        ValueError: the file is no whole onnx.ModelProto.
    """
    found = {}
    for number, length in _fields(file, os.fstat(file.fileno()).st_size):
        if number == METADATA_PROPS and length <= MAX_METADATA:
            end = file.tell() + length
            parts = {one: file.read(size).decode() for one, size in _fields(file, end)}
            found[parts.get(1, "")] = parts.get(2, "")
    return found


def _fields(file: BinaryIO, end: int) -> Iterator[tuple[int, int]]:
    """Give the numbers of a protobuf message's fields, and the bytes that follow, or 0 for numbers.

    Raises:
        ValueError: it does not consist of fields.
    """
    while (position := file.tell()) < end:
        number, kind = divmod(_varint(file), 8)
        length = _varint(file) if kind in (0, 2) else {1: 8, 5: 4}.get(kind, end)
        begin, length = file.tell(), 0 if kind == 0 else length
        if not number or begin + length > end:
            raise ValueError(f"no field of ONNX at byte {position}")
        yield number, length if kind == 2 else 0
        file.seek(begin + length)


def _varint(file: BinaryIO) -> int:
    """A number in groups of seven bits, the lowest first, of which all but the last are marked."""
    value = 0
    for shift in range(0, 64, 7):
        byte = file.read(1)
        if not byte:
            break
        value |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return value
    raise ValueError("a number without an end")


def locate(model: str) -> tuple[Path, WeightsInfo]:
    """Path without suffix, and metadata, of a model by its committed name or its file's path.

    Raises:
        WeightsError: no such model (the known ones are listed), or its file is damaged.
    """
    if model.endswith(".onnx"):
        return Path(model).with_suffix(""), read_info(Path(model))
    entries = read_manifest()
    if model not in entries:
        raise WeightsError(f"no model {model!r}: have {', '.join(sorted(entries)) or 'none'}")
    stem = WEIGHTS_DIR / model
    return stem, read_info(stem.with_suffix(".onnx"))


def locate_for(task: str, model: str) -> tuple[Path, WeightsInfo]:
    """`locate` for a model of a given task of ROLES.

    Raises:
        WeightsError: it is of another task; see `locate`.
    """
    stem, info = locate(model)
    if info.task != task:
        (role, flag), (wanted, _) = ROLES[info.task], ROLES[task]
        raise WeightsError(f"{model} ({role}) is no {wanted}: give it with {flag}")
    return stem, info


def verified(path: Path) -> Path:
    """`path`, after its checksum was compared with the one in the manifest beside it.

    Raises:
        WeightsError: the file is missing, or its checksum differs.
    """
    entry = read_manifest(path.parent).get(path.stem, {}).get("sha256", {})
    try:
        found = sha256(path)
    except OSError as error:
        raise WeightsError(f"no weights {path}: {remedy(path.stem)}") from error
    expected = entry.get(path.suffix.lstrip("."))
    if expected is not None and found != expected:
        raise WeightsError(f"{path} is damaged (wrong checksum): {remedy(path.stem)}")
    return path


def read_manifest(folder: Path = WEIGHTS_DIR) -> dict[str, Any]:
    """The manifest's entries by model name; empty if there is no manifest.

    Raises:
        WeightsError: the manifest is not JSON.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    try:
        entries = json.loads(path.read_text())
    except ValueError as error:
        raise WeightsError(f"{path} is damaged ({error}): `git checkout {path}`") from error
    if not isinstance(entries, dict):
        raise WeightsError(f"{path} is damaged (no table): `git checkout {path}`")
    return entries


def write_manifest(info: WeightsInfo, folder: Path = WEIGHTS_DIR) -> None:
    """Add or replace the entry of `info.name`, with the checksum of the file beside it."""
    entries = read_manifest(folder)
    checksums = {"onnx": sha256(folder / f"{info.name}.onnx")}
    entries[info.name] = {"sha256": checksums, **info.to_values()}
    text = json.dumps(dict(sorted(entries.items())), indent=1) + "\n"
    unfinished = folder / f".{MANIFEST}.new"
    unfinished.write_text(text)
    unfinished.replace(folder / MANIFEST)


def sha256(path: Path) -> str:
    """Hexadecimal checksum of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def remedy(name: str) -> str:
    """The advice at the end of errors about weight files."""
    return f"`git checkout weights/`, or make it with `python -m training.fit --model {name}`"
