"""Weight files and their metadata.

`weights/NAME.safetensors` and `weights/NAME.onnx` are the same network; the metadata is inside both
and, with the checksums, in `weights/manifest.json`.
"""

import hashlib
import json
import struct
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from preprocessing.datasets.attribute_table import Attribute
from preprocessing.errors import WeightsError

WEIGHTS_DIR = Path(__file__).resolve().parents[2] / "weights"
MANIFEST = "manifest.json"
METADATA_KEY = "garment"  # of the JSON text inside both kinds of file
MAX_HEADER = 1 << 20  # bytes; a longer safetensors header is not one of ours
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
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise WeightsError(f"{path}: metadata is damaged ({error})") from error


def read_info(path: Path) -> WeightsInfo:
    """The metadata inside a .safetensors file, without its tensors.

    Raises:
        WeightsError: no such file, not safetensors, or no metadata of ours in it.
    """
    try:
        with path.open("rb") as file:
            length = struct.unpack("<Q", file.read(8))[0]
            if length > MAX_HEADER:
                raise ValueError(f"header of {length} bytes")
            header = json.loads(file.read(length))
        text = header["__metadata__"][METADATA_KEY]
    except FileNotFoundError as error:
        raise WeightsError(f"no weights {path}: {remedy(path.stem)}") from error
    except (
        OSError, ValueError, struct.error, KeyError, TypeError, RecursionError
    ) as error:  # fmt: skip
        raise WeightsError(f"{path} is damaged ({error}): {remedy(path.stem)}") from error
    return WeightsInfo.from_json(text, path=path)


def locate(model: str) -> tuple[Path, WeightsInfo]:
    """Path without suffix, and metadata, of a model by its committed name or its file's path.

    Raises:
        WeightsError: no such model (the known ones are listed), or its file is damaged.
    """
    if model.endswith((".safetensors", ".onnx")):
        stem = Path(model).with_suffix("")
        return stem, read_info(stem.with_suffix(".safetensors"))
    entries = read_manifest()
    if model not in entries:
        raise WeightsError(f"no model {model!r}: have {', '.join(sorted(entries)) or 'none'}")
    stem = WEIGHTS_DIR / model
    return stem, read_info(stem.with_suffix(".safetensors"))


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
    """Add or replace the entry of `info.name`, with the checksums of the files beside it."""
    entries = read_manifest(folder)
    files = [folder / f"{info.name}.{kind}" for kind in ("safetensors", "onnx")]
    checksums = {path.suffix.lstrip("."): sha256(path) for path in files}
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
