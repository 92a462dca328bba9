"""Real photos in nine layers: sources are joined, labels mapped by their meaning, splits kept."""

import json

import cv2
import numpy as np
import photos
import pytest
import yaml

from preprocessing.builders import layer_boxes
from preprocessing.datasets.yolo_layout import check_layout, read_boxes, read_layout
from preprocessing.labels import LAYERS

NAMES = {0: "null", 46: "suit", 51: "t-shirt"}
SIZE = (60, 100)  # width, height


@pytest.fixture
def parsed(tmp_path):
    """Eight photos: six to train on, of which one shows a suit, one for each other split."""
    masks = {f"street-{k}": photos.painted(SIZE, (51, 10, 10, 40, 50)) for k in range(8)}
    masks["street-3"] = photos.painted(SIZE, (46, 10, 10, 40, 50))
    return photos.parsed_people(tmp_path / "parsed", masks, NAMES)


@pytest.fixture
def boxed(tmp_path):
    folder = tmp_path / "boxed"
    for part in ("images", "labels"):
        (folder / "train" / part).mkdir(parents=True)
    picture = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
    cv2.imwrite(str(folder / "train" / "images" / "0001.jpg"), picture)
    rows = "1 0.5 0.5 0.5 0.2\n0 0.5 0.2 0.1 0.1\n"
    (folder / "train" / "labels" / "0001.txt").write_text(rows)
    described = {"train": "train/images", "names": ["sunglass", "shirt"]}
    (folder / "data.yaml").write_text(yaml.safe_dump(described))
    return folder


def test_sources_are_joined(parsed, boxed, tmp_path):
    out, empty = tmp_path / "out", tmp_path / "empty"
    empty.mkdir()
    for number in range(3):
        cv2.imwrite(str(empty / f"{number}.png"), np.full((30, 40, 3), 60, np.uint8))
    flags = ["--parsed", str(parsed), "--boxed", str(boxed), "--empty", str(empty)]
    assert layer_boxes.main([*flags, "--out", str(out)]) == 0
    layout = read_layout(out / "data.yaml")
    assert layout.names == LAYERS
    check_layout(layout, ("train", "val", "test"))
    stems = {split: [p.stem.split("-")[0] for p in layout.images(split)]
             for split in layout.folders}  # fmt: skip
    assert stems == {"train": ["boxed", "empty", "empty", *["parsed"] * 5],
                     "val": ["empty", "parsed"], "test": ["parsed"]}  # fmt: skip
    assert len(read_boxes(layout.images("train")[1], classes=len(LAYERS)).labels) == 0
    first = read_boxes(layout.images("train")[0], classes=len(LAYERS))
    assert first.labels.tolist() == [LAYERS.index("top")]
    assert first.boxes[0] == pytest.approx([0.25, 0.4, 0.75, 0.6], abs=1e-3)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["left out"] == {"parsed: has a suit": 1}


def test_a_label_file_is_applied_if_given(boxed, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("file,x1,y1,x2,y2,name\n0001.jpg,15,40,45,60,dress\n")
    (found,) = layer_boxes.boxed_photos(boxed)
    assert [LAYERS[label] for label in found.labels] == ["top"]
    (found,) = layer_boxes.boxed_photos(boxed, labels)
    assert [LAYERS[label] for label in found.labels] == ["dress"]
    labels.write_text("file,x1,y1,x2,y2,name\n0001.jpg,15,40,45,60,none\n")
    flags = ["--boxed", str(boxed), "--boxed-labels", str(labels), "--out", str(tmp_path / "out")]
    assert layer_boxes.main(flags) == 0
    layout = read_layout(tmp_path / "out" / "data.yaml")
    assert len(read_boxes(layout.images("train")[0], classes=len(LAYERS)).labels) == 0


def test_single_garments_are_boxed(tmp_path):
    source = photos.folder(tmp_path / "photos")
    rows = ["path,label,sender"]
    for number, path in enumerate(sorted(source.rglob("*.*"))):
        rows.append(f"{path},{('t-shirt', 'pants')[number % 2]},{number // 2}")
    (tmp_path / "index.csv").write_text("\n".join(rows) + "\n")
    flags = ["--photos", str(tmp_path / "index.csv"), "--group-column", "sender"]
    assert layer_boxes.main([*flags, "--out", str(tmp_path / "out")]) == 0
    layout = read_layout(tmp_path / "out" / "data.yaml")
    check_layout(layout, ("train", "val"))


def test_sources_that_cannot_be_joined(parsed, boxed, tmp_path, capsys):
    out = ["--out", str(tmp_path / "out")]
    assert layer_boxes.main(out) == 2
    assert "--parsed, --boxed or --photos" in capsys.readouterr().err
    assert layer_boxes.main([*out, "--parsed", str(parsed), "--boxed-labels", "x.csv"]) == 2
    assert "--boxed-labels needs" in capsys.readouterr().err
    (boxed / "data.yaml").write_text(yaml.safe_dump({"train": "train/images", "names": ["cap"]}))
    assert layer_boxes.main([*out, "--boxed", str(boxed)]) == 8
    assert "mean no layer" in capsys.readouterr().err
    (parsed / "masks" / "street-0.png").unlink()
    assert layer_boxes.main([*out, "--parsed", str(parsed)]) == 8
    assert "street-0.jpg has no mask" in capsys.readouterr().err
