"""Runs behind the page: another analysis takes over between two frames."""

from fractions import Fraction

import numpy as np

from realtime.page.runs import SwappableAnalysis
from realtime.runtime.stats import Stats
from realtime.types import Beside, Frame, LabelledFrame


class Naming:
    """An analysis that records which frames it gets, and when it is ended."""

    annotator, title = None, ""

    def __init__(self):
        self.frames, self.ended, self.beside = [], False, None

    def analysed(self, frames, stats, *, concurrent, beside):
        self.beside = beside
        for frame in frames:
            self.frames.append(frame.index)
            yield LabelledFrame(frame, [], frame.image)
        self.ended = True


def test_another_analysis_takes_over_and_no_frame_is_lost():
    image = np.zeros((4, 4, 3), np.uint8)
    frames = (Frame(image, n, n, Fraction(1), captured=0.0) for n in range(7))
    first, second = Naming(), Naming()
    analysis, drawn = SwappableAnalysis(first), []
    for labelled in analysis.analysed(frames, Stats(), concurrent=True, beside=Beside.ALWAYS):
        drawn.append(labelled.frame.index)
        if len(drawn) == 3:
            analysis.current = second
    assert drawn == list(range(7))
    assert (first.frames, second.frames) == ([0, 1, 2], [3, 4, 5, 6])
    assert first.ended and second.ended and second.beside is Beside.ALWAYS
