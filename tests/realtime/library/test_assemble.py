"""Settings that do not go together, and what a locator, a model and their labels resolve to."""

import numpy as np
import pytest

from preprocessing.errors import UsageError, WeightsError
from realtime import cli
from realtime.flags import read_settings
from realtime.library import assemble
from realtime.library.assemble import make_analysis
from realtime.runtime.stats import Stats
from realtime.settings import Recognition
from realtime.sources import DEMO
from realtime.sources.open_source import open_source
from realtime.types import UNKNOWN, Region
from training.inference import pose_files
from training.inference.name_tree import NAMES, NameTree
from training.inference.weights import WEIGHTS_DIR, locate


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--detection-confidence", "2", "--locate", "yolo"], "--detection-confidence must"),
        (["--detection-confidence", "0.5"], "need --locate yolo"),
        (["--only", "hat", "--locate", "green"], "need --locate yolo"),
        (["--label-source", "locator"], "need --locate yolo"),
    ],
)
def test_flags_that_need_a_locator_with_scores(tmp_path, capsys, flags, words):
    arguments = ["--demo", "-o", str(tmp_path / "out.mp4"), *flags]
    assert cli.main(arguments) == 2
    assert words in capsys.readouterr().err


def test_a_detector_and_its_classifier_go_together():
    assert read_settings(["--locate", "yolo"]).recognition.model == "yolo-names"
    assert assemble.default_label_source("yolo", "yolo-names") == "both"
    assert assemble.default_label_source("yolo", "photo") == "locator"  # of other classes
    recognition = Recognition(model="yolo-names", detection_confidence=0.3)
    assert assemble.locator_of(recognition) == "yolo"
    with open_source(str(DEMO)) as source:
        found = make_analysis(recognition)(next(iter(source)), Stats())
    names = NameTree(locate("yolo")[1].classes).names
    assert found and {garment.label.name for garment in found} <= {*names, UNKNOWN}


def test_names_are_kinds_or_a_tree_that_is_calibrated():
    tree, kinds = (
        make_analysis(Recognition(model="yolo-names", names=names, label_threshold=0.7)).tracks
        for names in ("tree", "kinds")
    )
    fitted = NAMES.read(WEIGHTS_DIR / "yolo-names", WEIGHTS_DIR / "yolo")
    region = Region.from_box(np.array([0, 0, 9, 9], np.float32))
    shoes = {"Sneaker": 0.25, "Sandal": 0.24, "Ankle boot": 0.24}
    row = dict.fromkeys(locate("yolo")[1].classes, 0.27 / 7) | shoes
    for tracks, expected in ((tree, "shoes"), (kinds, "unknown")):
        (track,) = tracks([region])
        assert tracks._tree.calibration == fitted != NAMES.neutral
        track.vote(np.array([row[name] for name in tracks._tree.classes], np.float32))
        assert track.garment().label.name == expected


@pytest.mark.parametrize(
    "recognition",
    [
        Recognition(pose=True, locator="segment"),
        Recognition(pose=True, label_source="locator"),
        Recognition(pose=True, model="deep"),
    ],
)
def test_pose_needs_the_parser_and_both_labels(recognition):
    with pytest.raises(UsageError, match="--pose needs"):
        make_analysis(recognition)


def test_pose_networks_that_are_not_installed(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(pose_files, "FOLDER", tmp_path)
    assert make_analysis(Recognition()).pose is None
    assert "pose_files install" in caplog.text
    caplog.clear()
    make_analysis(Recognition(pose=False))
    make_analysis(Recognition(locator="whole"))
    assert "pose_files install" not in caplog.text
    with pytest.raises(WeightsError, match="pose_files install"):
        make_analysis(Recognition(pose=True))


@pytest.mark.skipif(not pose_files.installed(), reason=f"no pose networks: `{pose_files.COMMAND}`")
def test_pose_is_used_by_default_where_garments_are_worn():
    assert make_analysis(Recognition()).pose
    assert make_analysis(Recognition(pose=False)).pose is None
