"""Settings of the live app: the frozen values that its flags become. Imports nothing heavy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from preprocessing.errors import UsageError
from preprocessing.labels import CONFIDENCE_THRESHOLD

Address = str | int  # a file, folder or URL; the number of a camera
DEFAULT_MODEL = "photo"
DEMO = Path(__file__).parent / "sources" / "demo.mp4"  # the bundled clip
STATS = "stats"  # the output that is no sink: counts and stage times as JSON, written at the end


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """Sources and how they are opened.

    Attributes:
        addresses: as given, patterns and folders of videos not yet expanded; none for camera 0.
        reconnect: seconds for which a lost camera or stream is opened again; 0 for never.
        hwaccel: FFmpeg's name of the decoding device; "" for the CPU.

    Raises:
        UsageError: a number is out of range.
    """

    addresses: tuple[Address, ...] = ()
    reconnect: float = 0.0
    hwaccel: str = ""

    def __post_init__(self) -> None:
        for address in self.addresses:
            if isinstance(address, int) and address < 0:
                raise UsageError(f"--camera must be 0 or more, got {address}")
        if self.reconnect < 0:
            raise UsageError(f"--reconnect must be 0 or more seconds, got {self.reconnect:g}")


@dataclass(frozen=True, kw_only=True)
class OutputSettings:
    """Files and folders to write.

    Attributes:
        paths: by output, which is a row of SINKS or STATS; only those that are wanted.
        audio: True to copy the source's audio into the video.
    """

    paths: Mapping[str, Path] = field(default_factory=dict)
    audio: bool = True


@dataclass(frozen=True, kw_only=True)
class Recognition:
    """Networks and methods that find, label and track garments.

    Attributes:
        model: committed classifier or weight file.
        locator: row of LOCATORS, or "auto".
        label_source: "locator", "classifier" or "both"; None for the locator's default.
        detection_confidence: minimum score of a detection, 0 to 1; None for the network's own.
        only: classes to detect; none for all.
        pose: True to use pose keypoints; None to use them where they apply and are installed.
        label_threshold: minimum probability of a label, 0 to 1; below it a garment is unknown.
        detection_interval: row of DETECTION_INTERVALS, or "auto".
        tracker: row of TRACKERS.
        attributes: weight file of an attribute model, or None.
        colour: True to write each garment's colour on its label.
        engine, device: rows of ENGINES and devices, or "auto".
        threads: CPU threads of one network.

    Raises:
        UsageError: a number is out of range.
    """

    model: str = DEFAULT_MODEL
    locator: str = "auto"
    label_source: str | None = None
    detection_confidence: float | None = None
    only: tuple[str, ...] = ()
    pose: bool | None = None
    label_threshold: float = CONFIDENCE_THRESHOLD
    detection_interval: str = "auto"
    tracker: str = "overlap"
    attributes: str | None = None
    colour: bool = False
    engine: str = "auto"
    device: str = "auto"
    threads: int = 1

    def __post_init__(self) -> None:
        confidence = self.detection_confidence
        if not 0 <= self.label_threshold <= 1:
            raise UsageError(f"--label-threshold must be 0 to 1, got {self.label_threshold:g}")
        if confidence is not None and not 0 <= confidence <= 1:
            raise UsageError(f"--detection-confidence must be 0 to 1, got {confidence:g}")
        if self.threads < 1:
            raise UsageError(f"--threads must be at least 1, got {self.threads}")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that the flags of run_realtime.py decide.

    Attributes:
        command: "run", "list-models" or "doctor".
        show: True to open a window beside other outputs.
        serve: HOST:PORT of the page; None for no page.
        log: file for timestamped log lines, or None.
    """

    command: str = "run"
    source: SourceSettings = SourceSettings()
    outputs: OutputSettings = OutputSettings()
    recognition: Recognition = Recognition()
    show: bool = False
    serve: str | None = None
    log: Path | None = None
