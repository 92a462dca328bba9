"""From settings to an analysis: check them, resolve what is automatic, load the networks.

Reads top to bottom: `check_recognition`, `resolve`, `AnalysisFactory`.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from preprocessing.errors import UsageError, WeightsError
from realtime.analysis.appearance import AppearanceObserver, load_attributes
from realtime.analysis.classifiers import (
    Classifier,
    CropClassifier,
    FusedClassifier,
    LocatorScores,
    load_classifier,
    load_fused,
)
from realtime.analysis.detection_interval import (
    DETECTION_INTERVALS,
    LIVE_EVERY,
    ByMotion,
    DetectionInterval,
)
from realtime.analysis.engines import EngineOptions, loader, streams_for
from realtime.analysis.frame_analysis import FrameAnalysis
from realtime.analysis.locators import LOCATORS, Locator, LocatorOptions, default_locator
from realtime.analysis.pose_tracker import PoseTracker
from realtime.analysis.trackers import TRACKERS
from realtime.analysis.tracks import TrackManager
from realtime.analysis.wardrobe_classifier import (
    FeatureClassifier,
    WardrobeClassifier,
    can_be_taught,
    load_feature_classifier,
)
from realtime.runtime.devices import AUTO, INT8, choose
from realtime.settings import KINDS, Recognition
from realtime.sinks.annotate import Annotator
from realtime.types import Region
from training.inference import pose_files
from training.inference.label_sources import BOTH, LOCATOR
from training.inference.name_tree import NAMES, NameCalibration
from training.inference.pose import PoseEstimator, load_poses
from training.inference.wardrobe import Wardrobe
from training.inference.weights import locate

logger = logging.getLogger(__name__)


def check_recognition(recognition: Recognition) -> None:
    """Check that the settings go with the locator; reads no more than the weights' metadata.

    Raises:
        UsageError: they do not.
        WeightsError: there is no such model.
    """
    if recognition.precision == INT8:
        _check_quantised(recognition.model)
    locator, source = locator_of(recognition), recognition.label_source
    needs_scores = source in (LOCATOR, BOTH) or recognition.only
    if needs_scores or recognition.detection_confidence is not None:
        scored = [name for name, row in LOCATORS.items() if row.scored]
        if locator not in scored:
            raise UsageError(
                "--label-source locator or both, --detection-confidence and --only need --locate "
                f"{' or '.join(scored)}, not {locator}"
            )
    if (
        recognition.wardrobe
        and (source or default_label_source(locator, recognition.model)) == LOCATOR
    ):
        raise UsageError("--wardrobe needs a classifier that labels the garments: "
                         "--label-source classifier or both")  # fmt: skip
    if recognition.pose and not _pose_applies(locator, source):
        raise UsageError("--pose needs --locate people or parser, and --label-source both: pose "
                         "keypoints refine the labels of their garments")  # fmt: skip


def _check_quantised(model: str) -> None:
    """Check that there is a model of 8-bit integers, which --precision int8 stands for.

    Raises:
        WeightsError: there is none, or it is damaged.
    """
    try:
        locate(model)
    except WeightsError as error:
        name = Path(model).stem.removesuffix(f"-{INT8}")
        raise WeightsError(f"--precision {INT8} needs {model} ({error}): make it with `python -m "
                           f"training.compress --model {name} --to {INT8}`, or use --precision auto"
                           ) from error  # fmt: skip


def locator_of(recognition: Recognition) -> str:
    """The locator's row of LOCATORS; "auto" is the one that suits the model.

    Raises:
        WeightsError: there is no such model.
    """
    if recognition.locator != "auto":
        return recognition.locator
    return default_locator(locate(recognition.model)[1])


def _pose_applies(locator: str, label_source: str | None) -> bool:
    return LOCATORS[locator].worn and label_source in (None, BOTH)


def default_label_source(locator: str, model: str) -> str:
    """Return the label source of a locator's garments if none is set.

    Raises:
        WeightsError: there is no such model.
    """
    row = LOCATORS[locator]
    if row.classifier and not locate(model)[1].has_classes_of(locate(locator)[1]):
        return LOCATOR  # the classifier has other classes
    return row.label_source


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """Choices with nothing automatic left.

    Attributes:
        locator: row of LOCATORS.
        label_source: "locator", "classifier" or "both".
        own_classifier: True if the classifier was trained on the locator's boxes.
        detection_interval: row of DETECTION_INTERVALS.
        pose: True if pose keypoints are to be used.
        engine, device: as `devices.choose` returns them.
        precision: of PRECISIONS, but for 8-bit integers, which are the model's own file.
    """

    locator: str
    label_source: str
    own_classifier: bool
    detection_interval: str
    pose: bool
    engine: str
    device: str
    precision: str


def resolve(recognition: Recognition) -> Resolved:
    """Return the choices that the settings come to on this machine.

    Raises:
        WeightsError: there is no such model.
        DeviceError: engine and device contradict each other.
    """
    engine, device = choose(recognition.engine, recognition.device)
    locator = locator_of(recognition)
    row = LOCATORS[locator]
    source = recognition.label_source or default_label_source(locator, recognition.model)
    interval = recognition.detection_interval
    if interval == "auto":
        interval = "smooth" if row.slow else "every-frame"
    return Resolved(
        locator=locator,
        label_source=source,
        own_classifier=source != LOCATOR and recognition.model == row.classifier,
        detection_interval=interval,
        pose=_pose_wanted(recognition, locator),
        engine=engine,
        device=device,
        precision=AUTO if recognition.precision == INT8 else recognition.precision,
    )


def _pose_wanted(recognition: Recognition, locator: str) -> bool:
    """True if pose keypoints apply and are installed, or were asked for."""
    if recognition.pose is not None:
        return recognition.pose
    if not _pose_applies(locator, recognition.label_source):
        return False
    if not pose_files.installed(pose_files.FOLDER):
        logger.warning(
            "pose networks are not installed, people and the length of sleeves and legs are found "
            "less accurately: `%s`",
            pose_files.COMMAND,
        )
        return False
    return True


class AnalysisFactory:
    """Networks loaded once, and the analyses of any number of sources that run them.

    Args:
        concurrent: True if the analyses run at the same time, so that their crops are batched.
        teachable: load what `teach` needs, if the model can be taught.
        wardrobe: that a teachable factory begins with where the settings name no file of one, if
            it belongs to the model.

    Raises:
        UsageError: the settings do not go together.
        WeightsError: a weight file is missing or damaged, or the wardrobe is another model's.
        DeviceError: the engine or device is not available.
    """

    def __init__(
        self,
        recognition: Recognition,
        *,
        concurrent: bool = False,
        teachable: bool = False,
        wardrobe: Wardrobe | None = None,
    ):
        check_recognition(recognition)
        self._recognition, self._teachable, self._wardrobe = recognition, teachable, wardrobe
        self._resolved = resolve(recognition)
        self._poses = self._load_poses()
        self._attributes = self._load_attributes()
        with ThreadPoolExecutor(2, thread_name_prefix="load") as pool:
            keypoints = pool.submit(self._poses.load) if self._poses else None
            crops = pool.submit(self._load_crops, concurrent) if self._sees_crops else None
            self._locator = self._new_locator()
            if not self._locator.info:  # OpenCV builds its colour tables meanwhile
                self._locator(np.zeros((64, 64, 3), np.uint8))
            self._classifier = (
                self._new_classifier(crops.result()) if crops else _scores_of(self._locator)
            )
            if keypoints:
                keypoints.result()
        logger.info("loaded %s", self.description)

    @property
    def description(self) -> str:
        """The networks and what runs them, e.g. "photo, parser, engine openvino, device cpu"."""
        chosen = self._resolved
        name = self._classifier.info.name
        return f"{name}, {chosen.locator}, engine {chosen.engine}, device {chosen.device}"

    def new_analysis(self) -> FrameAnalysis:
        """Return an analysis for one source."""
        chosen, recognition = self._resolved, self._recognition
        info = self._classifier.info
        return FrameAnalysis(
            locator=self._locator.fresh(),
            classifier=self._classifier,
            tracks=TrackManager(
                info.classes,
                threshold=recognition.label_threshold,
                tracker=TRACKERS[recognition.tracker],
                kinds=recognition.names == KINDS,
                calibration=self._calibration,
            ),
            annotator=Annotator(info.classes, colour=recognition.colour),
            appearance=AppearanceObserver(self._attributes),
            pose=PoseTracker(self._poses) if self._poses and self._resolved.pose else None,
            interval=DETECTION_INTERVALS[chosen.detection_interval](self._locator.every),
            latency=recognition.latency,
            live_interval=self._live_interval(),
            title=f"{info.name}/{chosen.locator}",
        )

    def _live_interval(self) -> DetectionInterval:
        if self._recognition.detection_interval == "auto":
            return ByMotion(LIVE_EVERY)
        return DETECTION_INTERVALS[self._resolved.detection_interval](self._locator.every)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names that a garment can get, taught ones included."""
        return self._classifier.info.classes

    @property
    def wardrobe(self) -> Wardrobe | None:
        """The taught garments; None where nothing can be taught."""
        classifier = self._classifier
        return classifier.wardrobe if isinstance(classifier, WardrobeClassifier) else None

    def teach(self, name: str, image: np.ndarray, region: Region) -> Wardrobe:
        """Teach the garment in a region of a BGR image (H, W, 3) to all analyses made from now on.

        Raises:
            UsageError: the name is none, or the settings allow no teaching.
        """
        if not isinstance(self._classifier, WardrobeClassifier):
            raise UsageError("garments can be taught to the model photo, with a locator whose "
                             "garments it labels; but for --engine openvino with "
                             "`pip install onnx`")  # fmt: skip
        self._classifier = self._classifier.taught(name, image, region)
        return self._classifier.wardrobe

    @property
    def _calibration(self) -> NameCalibration:
        """That of the names; probabilities of one network alone are calibrated already."""
        classifier = self._classifier
        if isinstance(classifier, WardrobeClassifier):
            classifier = classifier.classifier
        return classifier.calibration if isinstance(classifier, FusedClassifier) else NAMES.neutral

    def _new_locator(self) -> Locator:
        chosen, recognition = self._resolved, self._recognition
        return LOCATORS[chosen.locator].build(LocatorOptions(
            engine=chosen.engine,
            device=chosen.device,
            threads=recognition.threads,
            precision=chosen.precision,
            streams=self._streams,
            confidence=recognition.detection_confidence,
            only=recognition.only,
            # A classifier of the locator's own boxes gets the whole box.
            outline=chosen.label_source != LOCATOR and not chosen.own_classifier,
            class_agnostic=chosen.own_classifier,
            poses=self._poses,
        ))  # fmt: skip

    def _new_classifier(self, crops: CropClassifier) -> Classifier:
        located, model = self._locator.info, self._recognition.model
        classifier: Classifier = crops
        if self._resolved.label_source == BOTH and located:
            classifier = load_fused(crops, located, model=model, locator=located.name)
        if isinstance(crops, FeatureClassifier):
            path = self._recognition.wardrobe
            wardrobe = crops.wardrobe(path, like=self._wardrobe, missing_ok=self._teachable)
            return WardrobeClassifier(classifier, crops, wardrobe)
        return classifier

    @property
    def _sees_crops(self) -> bool:
        """True if a classifier looks at the garments' crops."""
        return self._resolved.label_source != LOCATOR

    def _load_crops(self, concurrent: bool) -> CropClassifier:
        """The network on crops, with features where a wardrobe needs them."""
        chosen, recognition = self._resolved, self._recognition
        taught = self._teachable and can_be_taught(recognition.model, chosen.engine)
        load = load_feature_classifier if recognition.wardrobe or taught else load_classifier
        return load(
            recognition.model,
            engine=chosen.engine,
            device=chosen.device,
            threads=recognition.threads,
            precision=chosen.precision,
            concurrent=concurrent,
        )

    def _load_attributes(self) -> CropClassifier | None:
        if not self._recognition.attributes:
            return None
        return load_attributes(
            self._recognition.attributes,
            engine=self._resolved.engine,
            device=self._resolved.device,
            threads=self._recognition.threads,
            precision=self._resolved.precision,
        )

    @property
    def _streams(self) -> int:
        """Frames that the networks process at the same time."""
        return streams_for(self._engine())

    def _engine(self, streams: int = 1) -> EngineOptions:
        chosen = self._resolved
        return EngineOptions(
            engine=chosen.engine,
            device=chosen.device,
            threads=self._recognition.threads,
            precision=chosen.precision,
            streams=streams,
        )

    def _load_poses(self) -> PoseEstimator | None:
        """The pose networks, where the locator or the labels use them."""
        recognition = self._recognition
        if recognition.pose is False or not LOCATORS[self._resolved.locator].worn:
            return None
        return load_poses(required=bool(recognition.pose), load=loader(self._engine(self._streams)))


def _scores_of(locator: Locator) -> LocatorScores:
    """The classifier by a locator's own scores."""
    assert locator.info, "check_recognition refuses locators without"
    return LocatorScores(locator.info)


def make_analysis(recognition: Recognition) -> FrameAnalysis:
    """Return an analysis with networks of its own; raises as AnalysisFactory."""
    return AnalysisFactory(recognition).new_analysis()
