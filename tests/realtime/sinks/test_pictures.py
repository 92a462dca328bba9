"""Pictures as outputs: the last frame, and a snapshot of every newly labelled garment."""

import cv2
import make
import numpy as np

from realtime.sinks.pictures import PictureSink, SnapshotSink

DRAWN = np.full((48, 64, 3), 200, np.uint8)


def test_the_last_labelled_picture_is_written(tmp_path):
    sink = PictureSink(tmp_path / "out.png")
    make.write_all(sink, make.labelled(1), make.labelled(2, drawn=DRAWN))
    assert (cv2.imread(str(tmp_path / "out.png")) == 200).all()


def test_a_snapshot_for_each_newly_named_track(tmp_path):
    dress = make.garment()
    make.write_all(
        SnapshotSink(tmp_path / "shots"),
        make.labelled(1, make.garment("unknown", probability=0.2)),
        make.labelled(2, dress, drawn=DRAWN),
        make.labelled(3, dress),
        make.labelled(4, dress, make.garment(track=2)),
    )
    assert sorted(path.name for path in (tmp_path / "shots").iterdir()) == [
        "frame-000002.png", "frame-000004.png",
    ]  # fmt: skip
    assert (cv2.imread(str(tmp_path / "shots" / "frame-000002.png")) == 200).all()
