"""The analysis of a frame: the stages between a decoded frame and its labelled garments.

In the order in which a frame passes them; a `FrameAnalysis` holds one of each:

    motion gate         skips frames in which nothing moved, and detects scene cuts
    detection interval  chooses the frames on which the locator runs
    locator             finds regions; optical flow moves them on the frames between
    person tracker      numbers the people who wear them
    tracks              follow garments from frame to frame
    pose                keypoints, which refine the labels of worn garments
    classifier          class probabilities, which each track averages into its label
    appearance          colour and attributes of each track

Of files each frame passes through all of them. Those of live sources do not wait: the stages behind
the gate run beside them, see `live/`.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from preprocessing.errors import GarmentError
from realtime.analysis.appearance import AppearanceObserver
from realtime.analysis.classifiers import Classifier
from realtime.analysis.detection_interval import DetectionInterval, EveryFrame
from realtime.analysis.engines import MAX_STREAMS
from realtime.analysis.live.drawn_at_once import drawn_at_once
from realtime.analysis.live.known_garments import KnownGarments
from realtime.analysis.live.latency import AUTO, EXACT
from realtime.analysis.live.results import Request, Result
from realtime.analysis.locators import Locator
from realtime.analysis.motion_gate import MotionGate
from realtime.analysis.optical_flow import OpticalFlow
from realtime.analysis.person_tracking.person_tracker import PersonTracker
from realtime.analysis.pose_tracker import PoseTracker
from realtime.analysis.tracks import Track, TrackManager
from realtime.runtime.stats import Stats
from realtime.runtime.worker import FEW_CORES, Prefetch, cores
from realtime.sinks.annotate import Annotator
from realtime.types import Beside, Frame, Garment, LabelledFrame, Region

UNDRAWN = 4  # frames that are analysed and wait to be drawn


@dataclass(frozen=True, eq=False)
class Detection:
    """The regions that the locator found in a frame, and the seconds that it took."""

    regions: list[Region]
    seconds: float


@dataclass(frozen=True, eq=False)
class PendingFrame:
    """A frame whose analysis has begun.

    Attributes:
        moved: it differs from the last frame that moved.
        scene_cut: it shows another scene than the frame before.
        detection: perhaps still to come; None if the locator does not run on this frame.
    """

    frame: Frame
    moved: bool
    scene_cut: bool
    detection: Future[Detection] | None


Submit = Callable[[Callable[[np.ndarray], Detection], np.ndarray], Future[Detection]]


def run_inline(call: Callable[[np.ndarray], Detection], image: np.ndarray) -> Future[Detection]:
    """Do as an executor's `submit` does, in the caller's own thread."""
    future: Future[Detection] = Future()
    future.set_result(call(image))
    return future


@dataclass(eq=False)
class FrameAnalysis:
    """The stages of one source, with `title` for the HUD, e.g. "deep/segment".

    Call it with a frame, or `begin` several before each is finished, in order. `latency` is one of
    LATENCIES.
    """

    locator: Locator
    classifier: Classifier
    tracks: TrackManager
    annotator: Annotator
    title: str
    appearance: AppearanceObserver = field(default_factory=AppearanceObserver)
    person_tracker: PersonTracker = field(default_factory=PersonTracker)
    pose: PoseTracker | None = None
    motion_gate: MotionGate = field(default_factory=MotionGate)
    interval: DetectionInterval = field(default_factory=EveryFrame)
    optical_flow: OpticalFlow = field(default_factory=OpticalFlow)
    latency: str = AUTO
    live_interval: DetectionInterval = field(default_factory=EveryFrame)  # where frames do not wait
    _begun: bool = False
    _regions: list[Region] = field(default_factory=list)  # of the last frame that moved
    _held: list[Garment] | None = None  # repeated while nothing moves; None until labels settle
    _detected_at: float | None = None  # see LabelledFrame
    _captured: float = 0.0  # of the last frame
    _past: KnownGarments = field(init=False)

    def __post_init__(self) -> None:
        streams, every = max(MAX_STREAMS, self.locator.streams), max(1, self.interval.every)
        self._past = KnownGarments(streams * every)

    def __call__(self, frame: Frame, stats: Stats) -> list[Garment]:
        """Return the frame's garments; those of the last frame if nothing moved since."""
        return self.finish(self.begin(frame, stats), stats)

    def begin(self, frame: Frame, stats: Stats, submit: Submit = run_inline) -> PendingFrame:
        """Start the locator on a frame that needs it, by an executor's `submit`."""
        with stats.stage("gate"):
            moved = self.motion_gate.moved(frame.image)
        scene_cut = self.motion_gate.scene_cut
        motion = partial(self.motion_gate.motion_in, self._past.begin())
        must = scene_cut or not self._begun
        due = moved and self.interval.due(must=must, motion=motion)
        if due:
            self.motion_gate.mark()
        self._begun = True
        detection = submit(self._detect, frame.image) if due else None
        return PendingFrame(frame, moved, scene_cut, detection)

    def finish(self, pending: PendingFrame, stats: Stats) -> list[Garment]:
        """Return the garments of the frame that was begun least recently."""
        if pending.scene_cut:
            self._start_scene()
        self._note_age(pending)
        if not pending.moved and self._held is not None:
            self._past.add(self._regions)
            return [replace(garment, held=True) for garment in self._held]
        self._locate(pending, stats)
        # If nothing moved but labels have not settled yet, they are voted for again.
        observed = pending.detection is not None or not pending.moved
        garments, settled = self._label(pending.frame, stats, observed=observed)
        self._held = garments if settled else None
        self._past.add(self._regions if settled else None)
        return garments

    def _note_age(self, pending: PendingFrame) -> None:
        captured = pending.frame.captured
        if pending.detection:
            self._detected_at = captured
        elif not pending.moved and self._detected_at is not None:
            self._detected_at += captured - self._captured
        self._captured = captured

    def _detect(self, image: np.ndarray) -> Detection:
        start = time.monotonic()
        regions = self.locator(image)
        return Detection(regions, time.monotonic() - start)

    def _locate(self, pending: PendingFrame, stats: Stats) -> None:
        """Update the regions: those of the locator, or the last ones moved by optical flow."""
        image = pending.frame.image
        if pending.detection:
            detection = pending.detection.result()
            self._regions = self.person_tracker(image, detection.regions, pending.frame.time)
            self.interval.detected(detection.seconds)
            if not isinstance(self.interval, EveryFrame):
                self.optical_flow.restart(image)
            stats.add("locate", detection.seconds)
        elif pending.moved:
            with stats.stage("flow"):
                self._regions = self.optical_flow(image, self._regions)

    def _label(self, frame: Frame, stats: Stats, *, observed: bool) -> tuple[list[Garment], bool]:
        """Return the frame's garments, and True if their labels are settled.

        Args:
            observed: the regions are the locator's, so that the classifier may run on them.
        """
        with stats.stage("track"):
            tracks = self.tracks(self._regions)
        self._vote(frame.image, tracks if observed else [], stats)
        garments = [self._garment(track) for track in tracks if track.is_garment]
        return garments, all(track.settled for track in tracks)

    def _vote(self, image: np.ndarray, tracks: list[Track], stats: Stats) -> None:
        """Classify those tracks of a frame that are due, and observe their appearance."""
        due = [track for track in tracks if track.due]
        regions = [track.region for track in due]
        if self.pose:
            with stats.stage("people"):
                regions = self.pose(image, regions)
        with stats.stage("classify"):
            for track, probabilities in zip(due, self.classifier(image, regions), strict=True):
                track.vote(probabilities)
        with stats.stage("describe"):
            self.appearance(image, tracks)

    def _garment(self, track: Track) -> Garment:
        return track.garment(self.appearance.attributes(track.appearance))

    def _start_scene(self) -> None:
        self.tracks.start_scene()
        self.person_tracker.start_scene()

    def analysed(
        self,
        frames: Iterable[Frame],
        stats: Stats,
        *,
        concurrent: bool,
        beside: Beside = Beside.NEVER,
    ) -> Iterator[LabelledFrame]:
        """Yield frames with their garments, in order, with nothing drawn yet.

        Args:
            concurrent: frames may be begun before earlier ones are finished.
            beside: frames may come before their own analysis has ended.
        """
        if beside is not Beside.NEVER and self.latency != EXACT:
            waits, auto = beside is Beside.WITHIN_A_SCENE, self.latency == AUTO
            yield from drawn_at_once(self, frames, stats, waits=waits, auto=auto)
        elif concurrent and (ahead := self._frames_ahead()):
            found = self._analysed_ahead(frames, stats, ahead=ahead)
            yield from found if cores() <= FEW_CORES else _on_a_thread(found)
        else:
            yield from self._analysed_each(frames, stats)

    def _analysed_each(self, frames: Iterable[Frame], stats: Stats) -> Iterator[LabelledFrame]:
        for frame in frames:
            yield self.labelled(frame, stats)

    def labelled(self, frame: Frame, stats: Stats) -> LabelledFrame:
        """The frame with its garments, as a call gives them."""
        garments = self(frame, stats)
        return LabelledFrame(frame, garments, frame.image, self._detected_at)

    def detect_beside(self, frame: Frame, stats: Stats) -> list[Region]:
        """The regions of a frame; on a thread beside the one that labels."""
        detection = self._detect(frame.image)
        self.live_interval.detected(detection.seconds)
        stats.add("locate", detection.seconds)
        return detection.regions

    def label_beside(
        self,
        request: Request,
        regions: list[Region],
        early: Callable[[Result], None],
        stats: Stats,
    ) -> Result:
        """Label the regions of a frame while others are drawn."""
        frame, image = request.frame, request.frame.image
        if request.scene_cut:
            self._start_scene()
        for others in request.between:
            self.tracks(others)
        if request.regions is None:
            regions = self.person_tracker(image, regions, frame.time)
        with stats.stage("track"):
            tracks = self.tracks(regions)
        early(self._known(tracks, [track for track in tracks if track.labelled]))
        self._vote(image, tracks, stats)
        return self._known(tracks, tracks)

    def _known(self, tracks: list[Track], labelled: list[Track]) -> Result:
        """The result when so many of the tracks have a label."""
        shown = {id(track): self._garment(track) for track in labelled if track.is_garment}
        return Result(
            [track.region for track in tracks],
            [shown.get(id(track)) for track in tracks],
            settled=all(track.settled for track in tracks),
        )

    def go_on_from(self, regions: list[Region]) -> None:
        """Go on from other frames of a live source, with a detection where the next one moves."""
        self._regions, self._held, self._begun = regions, None, False
        self.interval = self.live_interval

    def _analysed_ahead(
        self, frames: Iterable[Frame], stats: Stats, *, ahead: int
    ) -> Iterator[LabelledFrame]:
        begun: deque[PendingFrame] = deque()
        remaining = iter(frames)
        problem: GarmentError | None = None
        with ThreadPoolExecutor(self.locator.streams, thread_name_prefix="locate") as pool:
            while True:
                try:
                    frame = next(remaining, None)
                except GarmentError as error:
                    frame, problem = None, error  # the frames before it are still delivered
                if frame is not None:
                    begun.append(self.begin(frame, stats, pool.submit))
                while begun and (frame is None or len(begun) > ahead):
                    pending = begun.popleft()
                    garments = self.finish(pending, stats)
                    image = pending.frame.image
                    yield LabelledFrame(pending.frame, garments, image, self._detected_at)
                if frame is None:
                    break
        if problem:
            raise problem

    def _frames_ahead(self) -> int:
        """Frames to begin before one is finished, so that the locator is always busy.

        None on few cores for a locator that runs on each frame, one at a time: handing over costs
        more. One that runs on some has twice its interval, in which the rest is done meanwhile.
        """
        streams, every = self.locator.streams, self.interval.every
        if streams == 1 and every == 1 and cores() <= FEW_CORES:
            return 0
        return max(streams, 2) * every if every > 1 else streams


def _on_a_thread(found: Iterator[LabelledFrame]) -> Iterator[LabelledFrame]:
    """Analyse on a thread of its own, so that the caller's draws at the same time."""
    with Prefetch(found, size=UNDRAWN, drop_oldest=False) as analysed:
        yield from analysed.items()
