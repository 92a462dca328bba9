"""Compares what came out with what went in, property by property."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from realtime.bench.fidelity.contents import Content, Track
from realtime.bench.fidelity.inputs import FRAMES, MILLISECOND, OFFSET, SOUNDS, Cell
from realtime.sources.containers import PRIMING

EXACT, REPORTED, WRONG = "exact", "reported", "wrong"
PROPERTIES = ("frames", "times", "sound", "orientation", "aspect", "colour")
COLOUR_LEVELS = 2.0
GREY_LEVELS = 3.5  # of pictures that follow each other by eight
LATE = Fraction(OFFSET, 1000) * 3 / 4  # seconds; a muxer may move all by a frame or two


def holds(cell: Cell, given: Content) -> bool:
    """True if a container really kept the pictures, clock and sound that a cell asks for."""
    ticks = [tick for tick in cell.ticks() if tick >= 0 or cell.clock != "edit list"]
    wanted = [tick * MILLISECOND for tick in ticks]
    if len(given.greys) != len(wanted) or not _same_steps(given.times, wanted, given.tick):
        return False
    if len(given.tracks) != len(SOUNDS[cell.sound]):
        return False
    first, sounds = given.times[0], [track.starts[0] for track in given.tracks]
    return {
        "late": first >= LATE and all(start >= LATE / 2 for start in sounds),
        "picture late": all(first - start >= LATE for start in sounds),
        "sound late": all(start - first >= LATE for start in sounds),
        "negative": first < 0,
        "edit list": len(ticks) < FRAMES,
    }.get(cell.clock, abs(first) < LATE)


def verdicts(given: Content, found: Content, lines: str) -> dict[str, str]:
    """A verdict on each of PROPERTIES.

    Args:
        lines: that the program printed on stderr.
    """
    frames = len(given.greys) == len(found.greys) and bool(
        np.abs(found.greys - given.greys).max() < GREY_LEVELS
    )
    right = {
        "frames": frames,
        "times": frames and _same_times(given, found),
        "sound": _same_sound(given, found),
        "orientation": found.upright,
        "aspect": abs(found.aspect / given.aspect - 1) < Fraction(1, 100),
        "colour": frames and bool(
            np.abs(found.patches.mean(0) - given.patches.mean(0)).max() <= COLOUR_LEVELS
        ),
    }  # fmt: skip
    reported = {"sound": "sound track" in lines and ("left out" in lines or "mended" in lines)}
    return {
        name: EXACT if ok else REPORTED if reported.get(name) else WRONG
        for name, ok in right.items()
    }


def _same_steps(found: Sequence[Fraction], wanted: Sequence[Fraction], tick: Fraction) -> bool:
    """True if times differ by one and the same shift, to the tick."""
    if len(found) != len(wanted):
        return False
    shift = found[0] - wanted[0]
    return all(abs(a - b - shift) < tick for a, b in zip(found, wanted, strict=True))


def _same_times(given: Content, found: Content) -> bool:
    """True if pictures have their times, from 0 on."""
    tick = max(given.tick, found.tick)
    return _same_steps(found.times, given.times, tick) and _begins_at_0(given, found)


def _begins_at_0(given: Content, found: Content) -> bool:
    """True if picture or sound is at 0, or sound before it by what its decoder needs."""
    shift = found.times[0] - given.times[0]
    starts = [track.heard_from for track in found.tracks]
    starts += [track.heard_from + shift for track in given.tracks]  # they may be left out
    return found.times[0] >= 0 and -PRIMING <= min((found.times[0], *starts)) <= found.tick


def _same_sound(given: Content, found: Content) -> bool:
    """True if each track has the packets that are heard, at their times beside the picture."""
    if len(given.tracks) != len(found.tracks):
        return False
    shift = found.times[0] - given.times[0]
    tick = max(given.tick, found.tick, MILLISECOND)
    return all(
        _same_track(a, b, shift=shift, tick=tick)
        for a, b in zip(given.tracks, found.tracks, strict=True)
    )


def _same_track(given: Track, found: Track, *, shift: Fraction, tick: Fraction) -> bool:
    """True for what is heard, after as much of what is hidden as decoders need."""
    heard, kept = b"".join(given.packets[given.hidden :]), b"".join(found.packets)
    if given.codec != found.codec or not kept.endswith(heard):
        return False
    if not b"".join(given.packets).endswith(kept):
        return False
    if abs(found.heard_from - given.heard_from - shift) > PRIMING:
        return False
    if given.packets[-len(found.packets) :] != found.packets:
        return given.codec.startswith("pcm")  # which comes in packets of any size
    starts = given.starts[-len(found.starts) :]
    return all(abs(b - a - shift) <= tick for a, b in zip(starts, found.starts, strict=True))
