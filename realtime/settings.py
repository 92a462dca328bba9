"""Settings of the live app: the frozen values that its flags become. Imports nothing heavy."""

import argparse
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path, PurePath
from typing import Annotated

from preprocessing.errors import UsageError
from preprocessing.flags import NOT_NEGATIVE, POSITIVE, Flag, read_fields
from preprocessing.labels import CONFIDENCE_THRESHOLD
from realtime.analysis.detection_interval import DETECTION_INTERVALS
from realtime.analysis.live.latency import AUTO, LATENCIES
from realtime.analysis.locators import LOCATORS
from realtime.analysis.zones.settings import ZoneSettings
from realtime.runtime.cut import Cut, read_seconds
from realtime.runtime.devices import INT8, PRECISIONS, SAMPLE, read_device
from realtime.sinks.sink_table import OutputSettings
from realtime.sources.devices import CameraMode, read_format, read_size
from training.inference.label_sources import LABEL_SOURCES, LOCATOR

Address = str | int  # a file, folder or URL; the number of a camera
DEFAULT_ADDRESS = "127.0.0.1:8000"  # of the page
DEFAULT_MODEL = "photo"
DEMO_MODEL = "deep"  # the bundled clip shows garments of Fashion-MNIST
# Equal to the tables of these names by a test: importing those here would cost half a second.
TRACKER_NAMES = ("overlap", "bytetrack", "ocsort")
ENGINE_NAMES = ("auto", "openvino", "onnxruntime", "torch")
TIME = "seconds or h:mm:ss"
KINDS, TREE = NAME_CHOICES = ("kinds", "tree")  # labels: classes alone, or more general names too
OLD_LOCATOR = "detector"  # an earlier spelling of the label source "locator"
# Groups of flags in --help.
SOURCE = "source (default: camera 0)"
RECOGNITION = "recognition"
SPEED = "speed and hardware"
PAGE = "page"


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """Sources and how they are opened.

    Attributes:
        addresses: as given, patterns and folders of videos not yet expanded; none for camera 0.

    Raises:
        UsageError: a number is out of range.
    """

    addresses: tuple[Address, ...] = ()
    camera_size: Annotated[
        tuple[int, int] | None,
        Flag(
            "picture size that a camera is asked for; a line says what it gives if it has none "
            "such, and which sizes it has",
            metavar="WxH",
            group=SOURCE,
            default="the camera's own",
            reads=read_size,
            wanted="a size such as 1280x720",
        ),
    ] = None
    camera_fps: Annotated[
        float | None,
        Flag("frames a second of a camera", POSITIVE, metavar="N", group=SOURCE, default="its own"),
    ] = None
    camera_format: Annotated[
        str | None,
        Flag(
            "format in which a camera sends: MJPG, often needed for large pictures, YUYV, ...",
            metavar="FOURCC",
            group=SOURCE,
            default="its own",
            reads=read_format,
            wanted="four letters such as MJPG",
        ),
    ] = None
    reconnect: Annotated[
        float,
        Flag(
            "how long to reopen a camera or stream that stalls or ends; the gap stays in the "
            "output",
            metavar="SECONDS",
            group=SOURCE,
            default="0: not at all",
        ),
    ] = 0.0
    timeout: Annotated[
        float,
        Flag(
            "how long a source may take to open and to give its first picture",
            POSITIVE,
            metavar="SECONDS",
            group=SOURCE,
        ),
    ] = 15.0
    hwaccel: Annotated[
        str,
        Flag(
            "what decodes files and streams: none (the CPU), cuda (NVDEC), vaapi, videotoolbox, "
            "..., or auto: a device that is here, for what it can decode",
            metavar="DEVICE",
            group=SOURCE,
        ),
    ] = "none"
    insecure: Annotated[
        bool,
        Flag(
            "take https, rtsps and rtmps sources from servers whose certificates are not trusted; "
            "without it they are verified",
            group=SOURCE,
        ),
    ] = False
    start: Annotated[
        Fraction,
        Flag(
            "begin a file there, in seconds or h:mm:ss from the beginning that players show; "
            "sought, not read from the start",
            NOT_NEGATIVE,
            metavar="TIME",
            group=SOURCE,
            default="0",
            reads=read_seconds,
            wanted=TIME,
        ),
    ] = Fraction(0)
    end: Annotated[
        Fraction | None,
        Flag(
            "end there; of a live source after so long",
            POSITIVE,
            metavar="TIME",
            group=SOURCE,
            default="the end",
            reads=read_seconds,
            wanted=TIME,
        ),
    ] = None
    every: Annotated[
        Fraction | None,
        Flag(
            "analyse and write one frame in so many seconds",
            POSITIVE,
            metavar="TIME",
            group=SOURCE,
            default="all frames",
            reads=read_seconds,
            wanted=TIME,
        ),
    ] = None
    keep_times: Annotated[
        bool,
        Flag(
            "keep the times of a file or stream, instead of beginning at 0",
            group=SOURCE,
        ),
    ] = False

    def __post_init__(self) -> None:
        for address in self.addresses:
            if isinstance(address, int) and address < 0:
                raise UsageError(f"--camera must be 0 or more, got {address}")
        if not self.reconnect >= 0:
            raise UsageError(f"--reconnect must be 0 or more seconds, got {self.reconnect:g}")
        if self.camera and self.addresses and not any(isinstance(a, int) for a in self.addresses):
            raise UsageError("--camera-size, --camera-fps and --camera-format need a camera of "
                             "this machine: --camera N")  # fmt: skip
        Cut(start=self.start, end=self.end, every=self.every)  # checks their order

    @property
    def camera(self) -> CameraMode:
        """Size, rate and format that a camera is asked for."""
        return CameraMode(size=self.camera_size, rate=self.camera_fps, code=self.camera_format)

    @property
    def cut(self) -> Cut:
        """The frames that are wanted."""
        return Cut(start=self.start, end=self.end, every=self.every)


@dataclass(frozen=True, kw_only=True)
class Recognition:
    """Networks and methods that find, label and track garments.

    Raises:
        UsageError: a number is out of range.
    """

    model: Annotated[
        str,
        Flag(
            "classifier: a name of --list-models or a weight file",
            metavar="NAME|FILE",
            group=RECOGNITION,
            default=f"{DEFAULT_MODEL}; {LOCATORS['yolo'].classifier} with --locate yolo; "
            f"{DEMO_MODEL} with --demo",
        ),
    ] = DEFAULT_MODEL
    locator: Annotated[
        str,
        Flag(
            f"how garments are found: {', '.join(LOCATORS)}",
            metavar="METHOD",
            group=RECOGNITION,
            choices=("auto", *LOCATORS),
            name="--locate",
            default="people for models of photos, yolo for its own model, else segment",
        ),
    ] = "auto"
    label_source: Annotated[
        str | None,
        Flag(
            "what labels the garments of a detector or the parser: its own class scores "
            "(locator), the classifier, or both",
            metavar="{" + ",".join(LABEL_SOURCES) + "}",
            group=RECOGNITION,
            choices=(*LABEL_SOURCES, OLD_LOCATOR),
            hidden=("--name-by",),
            default="both; locator if yolo and the model know different classes",
        ),
    ] = None
    label_threshold: Annotated[
        float,
        Flag(
            "minimum probability of a label, 0 to 1; below it a garment is unknown",
            metavar="P",
            group=RECOGNITION,
            hidden=("--threshold",),
        ),
    ] = CONFIDENCE_THRESHOLD
    names: Annotated[
        str,
        Flag(
            "tree: where the kind is in doubt, a label is the more general name that is sure, "
            "such as top; kinds: unknown then",
            group=RECOGNITION,
            choices=NAME_CHOICES,
        ),
    ] = TREE
    detection_confidence: Annotated[
        float | None,
        Flag(
            "minimum score of a detection, 0 to 1",
            metavar="P",
            group=RECOGNITION,
            hidden=("--confidence",),
            default="the network's own",
        ),
    ] = None
    only: Annotated[
        tuple[str, ...],
        Flag("classes to detect", metavar="A,B,...", group=RECOGNITION, default="all"),
    ] = ()
    pose: Annotated[
        bool | None,
        Flag(
            "use pose keypoints to find people, and for sleeve and leg length",
            group=RECOGNITION,
            hidden=("--joints",),
            default="with people or the parser and --label-source both, once `python -m "
            "training.inference.pose_files install` was run",
        ),
    ] = None
    tracker: Annotated[
        str,
        Flag(
            "how garments keep their numbers from frame to frame; bytetrack and ocsort need the "
            "package trackers",
            group=RECOGNITION,
            choices=TRACKER_NAMES,
            name="--track",
        ),
    ] = "overlap"
    attributes: Annotated[
        str | None,
        Flag(
            "attribute model; its predictions are added to the labels",
            metavar="FILE",
            group=RECOGNITION,
        ),
    ] = None
    wardrobe: Annotated[
        Path | None,
        Flag(
            "garments that were taught by `python -m training.teach`, or on the page, which adds "
            "to it",
            metavar="FILE",
            group=RECOGNITION,
        ),
    ] = None
    colour: Annotated[bool, Flag("add each garment's colour to its label", group=RECOGNITION)] = (
        False
    )
    detection_interval: Annotated[
        str,
        Flag(
            "frames on which garments are detected: every-frame; smooth: every fourth (with parser "
            "and grabcut every third) while something moves, a third of those while not, and "
            "optical flow between; live: at most half of the time",
            group=SPEED,
            choices=("auto", *DETECTION_INTERVALS),
            default="auto: smooth for networks and grabcut, else every-frame",
        ),
    ] = "auto"
    latency: Annotated[
        str,
        Flag(
            "of cameras, streams, and files that are only shown: live draws each frame at once, "
            "with the newest labels, moved along with what they label; exact lets it wait for its "
            "own",
            group=SPEED,
            choices=LATENCIES,
            default="auto: exact if that takes less than half of the time between frames, as the "
            "first second shows, else live",
        ),
    ] = AUTO
    engine: Annotated[
        str,
        Flag(
            "runtime of the networks",
            group=SPEED,
            choices=ENGINE_NAMES,
            default="auto: one that is installed for the device, torch on a GPU, else openvino",
        ),
    ] = "auto"
    device: Annotated[
        str,
        Flag(
            f"processor of the networks: {SAMPLE}; cuda:1 and the like where there are several",
            metavar="NAME",
            group=SPEED,
            reads=read_device,
            wanted=f"a device: {SAMPLE}, or cuda:1 and the like",
            default="auto: a GPU if torch or onnxruntime has one, else cpu",
        ),
    ] = "auto"
    precision: Annotated[
        str,
        Flag(
            "numbers that the networks compute with; int8: the model's 8-bit version, which "
            "training.compress makes, where the CPU has VNNI; the other networks as with auto",
            group=SPEED,
            choices=PRECISIONS,
            default="auto: bf16 or fp16 where the processor has units for it and a measurement "
            "at the first start finds it faster, else fp32",
        ),
    ] = AUTO
    threads: Annotated[int, Flag("CPU threads of each network", metavar="N", group=SPEED)] = 1

    def __post_init__(self) -> None:
        confidence = self.detection_confidence
        if not 0 <= self.label_threshold <= 1:
            raise UsageError(f"--label-threshold must be 0 to 1, got {self.label_threshold:g}")
        if confidence is not None and not 0 <= confidence <= 1:
            raise UsageError(f"--detection-confidence must be 0 to 1, got {confidence:g}")
        if self.threads < 1:
            raise UsageError(f"--threads must be at least 1, got {self.threads}")


def recognition_of(values: argparse.Namespace, *, model: str | None = None) -> Recognition:
    """Return the recognition settings of the flags that `add_fields` adds for Recognition.

    Args:
        model: default of --model; None for the locator's own, or else DEFAULT_MODEL.

    Raises:
        UsageError: a number is out of range.
    """
    found = read_fields(Recognition, values)
    if found.label_source == OLD_LOCATOR:
        found = replace(found, label_source=LOCATOR)
    if "model" not in values:
        found = replace(found, model=model) if model else with_own_model(found)
    return at_precision(found)


def with_own_model(recognition: Recognition) -> Recognition:
    """Return the settings with the model that was trained for their locator, or DEFAULT_MODEL."""
    row = LOCATORS.get(recognition.locator)
    return replace(recognition, model=(row and row.classifier) or DEFAULT_MODEL)


def at_precision(recognition: Recognition) -> Recognition:
    """Return the settings with the 8-bit version of the model, where they ask for that."""
    if recognition.precision != INT8:
        return recognition
    path = PurePath(recognition.model)
    stem = f"{path.stem.removesuffix(f'-{INT8}')}-{INT8}"
    return replace(recognition, model=str(path.with_name(f"{stem}{path.suffix}")))


@dataclass(frozen=True, kw_only=True)
class PageSettings:
    """Who may use the page of --serve.

    Raises:
        UsageError: a key without a certificate.
    """

    open: Annotated[
        bool,
        Flag("no token: everybody on this machine may use the page of --serve", group=PAGE),
    ] = False
    allow_host: Annotated[
        tuple[str, ...],
        Flag("further names by which browsers reach it, such as a proxy's", metavar="NAME",
             nargs="+", group=PAGE, default="this machine's"),
    ] = ()  # fmt: skip
    tls_cert: Annotated[
        Path | None, Flag("serve by https with this certificate (PEM)", metavar="FILE", group=PAGE)
    ] = None
    tls_key: Annotated[
        Path | None,
        Flag("its key", metavar="FILE", group=PAGE, default="in the file of --tls-cert"),
    ] = None

    def __post_init__(self) -> None:
        if self.tls_key and not self.tls_cert:
            raise UsageError("--tls-key belongs to a certificate: give --tls-cert FILE as well")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that the flags of run_realtime.py decide.

    Attributes:
        command: "run", "list-models", "doctor" or "version".
        show: True to open a window beside other outputs.
        serve: HOST:PORT of the page; None for no page.
        page: who may use it.
        log: file for timestamped log lines, or None.
        find: garments to mark, in words; "" for none.
        zones: areas of the picture in which people are counted, and rules.
    """

    command: str = "run"
    source: SourceSettings = field(default_factory=SourceSettings)
    outputs: OutputSettings = field(default_factory=OutputSettings)
    recognition: Recognition = field(default_factory=Recognition)
    show: bool = False
    serve: str | None = None
    page: PageSettings = field(default_factory=PageSettings)
    log: Path | None = None
    find: str = ""
    zones: ZoneSettings = field(default_factory=ZoneSettings)
