"""Opens the source that an address names: file, stream, folder of pictures, camera."""

import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from preprocessing.errors import SourceError
from preprocessing.images.picture_kinds import SUFFIXES, is_picture
from realtime.runtime.cut import Cut
from realtime.runtime.hanging import Deadline, OverdueError, call_within
from realtime.runtime.masking import masked
from realtime.sources.addresses import (
    FAKE_SCHEME,
    LIVE_SCHEMES,
    has_scheme,
    is_stream,
    read_address,
)
from realtime.sources.cameras import CameraSource, FakeSource
from realtime.sources.cut import CutSource
from realtime.sources.devices import CameraMode
from realtime.sources.files_and_streams import VideoSource
from realtime.sources.pictures import PictureSource, picture_files
from realtime.sources.pipes import is_pipe, nameless, open_pipe
from realtime.sources.reconnect import ReconnectingSource
from realtime.sources.source import OPENING_SECONDS, Source, no_picture


def open_source(
    address: str | int,
    *,
    reconnect: float = 0.0,
    hwaccel: str = "",
    keep_times: bool = False,
    cut: Cut | None = None,
    camera: CameraMode | None = None,
    insecure: bool = False,
    timeout: float = OPENING_SECONDS,
    stopped: Callable[[], bool] = lambda: False,
) -> Source:
    """Open a video or a camera.

    Args:
        address: a file, a pipe ("-" for stdin), a folder of pictures, a URL, or the number of a
            camera.
        reconnect: seconds for which a live source that is lost is opened again; 0 for never.
        hwaccel: FFmpeg's name of the device that decodes files and streams, or "auto"; "" or
            "none" for the CPU.
        keep_times: True for the times of a file or stream as they are, instead of from 0 on.
        cut: the frames that are wanted; None for all.
        camera: size, rate and format that a camera is asked for; None for its own choice.
        insecure: True to take streams from servers whose certificates are not trusted.
        timeout: seconds that it may take until its first picture.
        stopped: asked meanwhile; true ends the wait.

    Raises:
        SourceError: it does not exist, is not a video, or ends before the cut begins; it took too
            long.
        UsageError: a live source cannot be cut so.
        DeviceError: the device is not available.
    """
    if cut:  # counts from the beginning that players show
        whole = open_source(
            address,
            reconnect=reconnect,
            hwaccel=hwaccel,
            camera=camera,
            insecure=insecure,
            timeout=timeout,
            stopped=stopped,
        )
        return CutSource(whole, cut, keep_times=keep_times)
    shift = Fraction(0) if keep_times else None

    def opened(deadline: Deadline) -> Source:
        if isinstance(address, int):
            return CameraSource(address, camera)
        return _open(address, hwaccel, shift, deadline, insecure=insecure)

    source = _in_time(address, opened, Deadline(timeout), stopped)
    if not reconnect or not source.info.live:
        return source
    return ReconnectingSource(
        source, lambda: opened(Deadline(timeout)), patience=reconnect, opening=timeout
    )


def _in_time(
    address: str | int,
    opened: Callable[[Deadline], Source],
    deadline: Deadline,
    stopped: Callable[[], bool],
) -> Source:
    if sys.platform == "darwin" and isinstance(address, int):
        return opened(deadline)  # only a main thread may ask for the permission to use a camera
    try:
        return call_within(deadline, lambda: opened(deadline), late=_close, stopped=stopped)
    except OverdueError:
        name = f"camera {address}" if isinstance(address, int) else masked(address[:200])
        if not deadline.over:
            raise SourceError(f"{name} gave no picture before the end") from None
        raise no_picture(name, deadline.seconds) from None


def _close(source: Source) -> None:
    source.__exit__(None, None, None)


def _open(
    address: str, hwaccel: str, shift: Fraction | None, deadline: Deadline, *, insecure: bool
) -> Source:
    address = read_address(address)
    if address.startswith(FAKE_SCHEME):
        return FakeSource(address)
    if is_stream(address):
        return VideoSource(address, network=True, shift=shift, hwaccel=hwaccel, deadline=deadline,
                           insecure=insecure)  # fmt: skip
    if is_pipe(address):
        return open_pipe(address, hwaccel=hwaccel, shift=shift, deadline=deadline)
    if has_scheme(address):
        known = " ".join(("file://", *LIVE_SCHEMES))
        raise SourceError(
            f"no source has the scheme of {masked(address[:200])}: wanted one of {known}"
        )
    path = Path(address)
    try:
        path.stat()
    except OSError as error:
        why = "no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise SourceError(f"{why}: {masked(address[:200])}") from error
    if path.is_dir():
        return PictureSource(path, picture_files(path))
    if is_picture(path):
        return PictureSource(path, [path])
    # FFmpeg would take a video that is named a%d.jpg for a row of pictures: it gets no name.
    file = nameless(path) if path.suffix.lower() in SUFFIXES else None
    return VideoSource(
        address, network=False, shift=shift, hwaccel=hwaccel, file=file, deadline=deadline
    )
