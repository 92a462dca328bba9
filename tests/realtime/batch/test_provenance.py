"""What a unit's results depend on: whatever changes them, changes the record."""

import json
import os
import shutil
from dataclasses import fields, replace
from pathlib import Path

import pytest

from preprocessing.errors import SourceError
from realtime.analysis.locators import LOCATORS
from realtime.batch import provenance
from realtime.batch.provenance import (
    ENDS,
    RECORD,
    Origin,
    difference,
    plan_line,
    settings_of,
    source_of,
    weights_of,
    write_record,
)
from realtime.settings import Recognition
from training.inference import pose_files
from training.inference.weights import WEIGHTS_DIR, read_manifest

OTHERS = {  # by field of Recognition: another value than that of PLAIN
    "model": "baseline",
    "locator": "parser",
    "label_source": "classifier",
    "label_threshold": 0.6,
    "names": "kinds",
    "detection_confidence": 0.4,
    "only": ("top",),
    "pose": False,
    "tracker": "bytetrack",
    "attributes": "a.onnx",
    "wardrobe": Path("w.npz"),
    "colour": True,
    "detection_interval": "every-frame",
    "precision": "bf16",
    "engine": "torch",
    "device": "cuda",
}
PLAIN = Recognition(model="photo", locator="people", engine="openvino", device="cpu")
ORIGIN = Origin(source={"path": "a"}, settings={"colour": True}, weights={"a.onnx": "1"})


def test_every_setting_is_recorded_or_known_to_change_no_result():
    names = {field.name for field in fields(Recognition)}
    assert names == OTHERS.keys() | set(provenance.WITHOUT_EFFECT)


@pytest.mark.parametrize("name", OTHERS)
def test_a_setting_that_changes_results_changes_the_record(name, monkeypatch):
    monkeypatch.setattr("realtime.library.assemble.choose", lambda engine, device: (engine, device))
    other = replace(PLAIN, **{name: OTHERS[name]})
    assert settings_of(other, rows_only=False) != settings_of(PLAIN, rows_only=False)


def test_what_is_automatic_is_recorded_as_what_it_comes_to():
    chosen = replace(PLAIN, label_source="both", detection_interval="smooth", threads=2)
    assert settings_of(chosen, rows_only=False) == settings_of(PLAIN, rows_only=False)
    assert settings_of(PLAIN, rows_only=True) != settings_of(PLAIN, rows_only=False)


@pytest.mark.parametrize("name", LOCATORS)
def test_the_networks_of_a_locator_are_those_that_it_loads(name):
    given = getattr(LOCATORS[name].build, "args", ())
    assert LOCATORS[name].networks == tuple(one for one in given if one in read_manifest())


def test_all_weight_files_of_the_networks_are_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr(pose_files, "FOLDER", tmp_path)
    (tmp_path / pose_files.DETECTION).write_text("pose")
    (tmp_path / "mine.npz").write_text("wardrobe")
    found = weights_of(replace(PLAIN, wardrobe=tmp_path / "mine.npz"))
    names = {Path(name).name for name in found}
    assert {"photo.onnx", "parser.onnx", "parser.limbs.json",
            "yolo-people.onnx", "photo+parser.fusion.json", "photo+parser.names.json",
            "parser.postprocessing.json", "mine.npz", pose_files.DETECTION} <= names  # fmt: skip
    assert not any(name.startswith(("deep", "yolo.")) for name in names)


def test_a_weight_file_of_the_same_name_is_known_by_its_content(tmp_path):
    shutil.copy(WEIGHTS_DIR / "deep.onnx", tmp_path / "own.onnx")
    recognition = Recognition(model=str(tmp_path / "own.onnx"), locator="whole")
    before = weights_of(recognition)
    shutil.copy(WEIGHTS_DIR / "baseline.onnx", tmp_path / "own.onnx")
    assert len(before) == 1 and weights_of(recognition) != before


@pytest.mark.parametrize("place", [0, ENDS - 1, 3 * ENDS - 1])
def test_a_changed_source_is_another_one(tmp_path, place):
    path = tmp_path / "a.mp4"
    path.write_bytes(bytes(3 * ENDS))
    before, times = source_of(str(path)), path.stat()

    def changed(data: bytes, *, ns: int = 0) -> list[str]:
        path.write_bytes(data)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns + ns))
        found = source_of(str(path))
        return [name for name in before if found[name] != before[name]]

    data = bytearray(3 * ENDS)
    assert changed(data) == []
    assert changed(data, ns=1000) == ["mtime_ns"]
    assert changed(data + b"\0") == ["bytes"]
    data[place] = 1
    assert changed(data) == ["ends_sha256"]
    with pytest.raises(SourceError, match="cannot open"):
        source_of(str(tmp_path / "none.mp4"))


def written(folder: Path, origin: Origin) -> Path:
    folder.mkdir()
    (folder / "rows.parquet").write_text("rows")
    write_record(folder, origin)
    return folder


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({}, ""),
        ({"source": {"path": "b"}}, "source changed"),
        ({"settings": {"colour": False}}, "settings changed"),
        ({"weights": {"a.onnx": "2"}}, "weights changed"),
        ({"version": "0.9"}, "version changed"),
        ({"schema": 0}, "version changed"),
        ({"source": {"path": "b"}, "settings": {}}, "source changed"),
    ],
)
def test_the_first_part_that_differs_is_the_reason(tmp_path, other, reason):
    folder = written(tmp_path / "000000", ORIGIN)
    assert difference(folder, replace(ORIGIN, **other)) == reason


def test_results_that_are_not_whole_are_made_anew(tmp_path):
    assert difference(tmp_path / "none", ORIGIN) == "new"
    folder = written(tmp_path / "000000", ORIGIN)
    (folder / "rows.parquet").write_text("row")
    assert difference(folder, ORIGIN) == "results damaged"
    (folder / "rows.parquet").unlink()
    assert difference(folder, ORIGIN) == "results damaged"
    for text in ("", "[]", "{", json.dumps({"schema": 1})):
        (folder / RECORD).write_text(text)
        assert difference(folder, ORIGIN) == "results damaged"
    (folder / RECORD).unlink()  # as older versions left them
    assert difference(folder, ORIGIN) == "version changed"


def test_the_plan_counts_what_is_reused_and_the_reasons_of_the_rest():
    reasons = ["", "new", "new", "source changed"]
    assert plan_line(reasons, videos=2) == (
        "4 units of 2 videos, 1 reused, 3 to do (2 new, 1 source changed)"
    )
    assert plan_line(["", ""], videos=1) == "2 units of 1 videos, 2 reused, 0 to do"
    assert plan_line([""], videos=1, redo=True) == (
        "1 units of 1 videos, 0 reused, 1 to do (1 --no-resume)"
    )
