"""Real photos in nine layers: boxes from masks, labels by their meaning, blocks kept apart."""

import json

import cv2
import numpy as np
import photos
import pytest
import yaml

from preprocessing.builders import garment_crops, layer_boxes
from preprocessing.builders.layer_boxes import mask_boxes
from preprocessing.datasets.samples import read_csv
from preprocessing.datasets.yolo_layout import check_layout, read_boxes, read_layout
from preprocessing.errors import DataError
from preprocessing.labels import LAYERS

NAMES = {0: "null", 10: "cape", 14: "dress", 39: "shoes", 46: "suit", 51: "t-shirt", 53: "tights"}
SIZE = (60, 100)  # width, height


def painted(*patches):
    """A mask with rectangles (value, x1, y1, x2, y2)."""
    mask = np.zeros(SIZE[::-1], np.uint8)
    for value, x1, y1, x2, y2 in patches:
        mask[y1:y2, x1:x2] = value
    return mask


@pytest.mark.parametrize(
    ("patches", "expected"),
    [
        ([], {}),
        ([(51, 10, 10, 40, 50)], {"top": [10, 10, 40, 50]}),
        ([(39, 5, 90, 15, 98), (39, 40, 88, 50, 96)], {"shoes": [5, 88, 50, 98]}),
        ([(51, 10, 10, 40, 50), (51, 58, 98, 60, 100)], {"top": [10, 10, 40, 50]}),  # a speck
        ([(53, 10, 60, 40, 80)], {}),
        ([(10, 0, 10, 60, 60), (14, 20, 20, 40, 90)],
         {"outer": [0, 10, 60, 60], "dress": [20, 20, 40, 90]}),
        ([(14, 1, 1, 3, 3)], {}),  # too small to see
    ],
)  # fmt: skip
def test_boxes_of_a_mask(patches, expected):
    labels, boxes = mask_boxes(painted(*patches), NAMES)
    found = {LAYERS[label]: box.tolist() for label, box in zip(labels, boxes, strict=True)}
    assert found == expected


def test_an_unclear_label_leaves_the_photo_out():
    with pytest.raises(DataError, match="suit"):
        mask_boxes(painted((46, 0, 0, 30, 30)), NAMES)


@pytest.fixture
def sources(tmp_path):
    parsed, boxed = tmp_path / "parsed", tmp_path / "boxed"
    for folder in (parsed / "photos", parsed / "masks", boxed / "train" / "images",
                   boxed / "train" / "labels"):  # fmt: skip
        folder.mkdir(parents=True)
    rows = "".join(f"{number},{name},1\n" for number, name in NAMES.items())
    (parsed / "labels.csv").write_text("id,name,photos\n" + rows)
    picture = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
    for number in ("0001", "0630", "0631", "0701", "0702"):
        cv2.imwrite(str(parsed / "photos" / f"{number}.jpg"), picture)
        value = 46 if number == "0702" else 51
        cv2.imwrite(str(parsed / "masks" / f"{number}.png"), painted((value, 10, 10, 40, 50)))
    cv2.imwrite(str(boxed / "train" / "images" / "0001.jpg"), picture)
    (boxed / "train" / "labels" / "0001.txt").write_text("1 0.5 0.5 0.5 0.2\n0 0.5 0.2 0.1 0.1\n")
    described = {"train": "train/images", "names": ["sunglass", "shirt"]}
    (boxed / "data.yaml").write_text(yaml.safe_dump(described))
    return parsed, boxed


def test_sources_are_joined(sources, tmp_path):
    parsed, boxed = sources
    out = tmp_path / "out"
    empty = tmp_path / "empty"
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
    assert stems == {"train": ["boxed", "empty", "empty", "parsed", "parsed"],
                     "val": ["empty", "parsed"], "test": ["parsed"]}  # fmt: skip
    assert len(read_boxes(layout.images("train")[1], classes=len(LAYERS)).labels) == 0
    garment_crops = read_boxes(layout.images("train")[0], classes=len(LAYERS))
    assert garment_crops.labels.tolist() == [LAYERS.index("top")]
    assert garment_crops.boxes[0] == pytest.approx([0.25, 0.4, 0.75, 0.6], abs=1e-3)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["left out"] == {"parsed: has a suit": 1}


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


def test_worn_garments_are_cut_out_beside_flat_ones(sources, tmp_path, capsys):
    parsed, _ = sources
    (tmp_path / "flat.csv").write_text("path,label,sender\na.jpg,hoodie,7\nb.jpg,body,8\n")
    mask = painted((14, 10, 10, 40, 60), (39, 5, 90, 15, 98))  # the shoes are too small
    mask[10:60:4, 10:40] = 51  # too little of a T-shirt shows
    cv2.imwrite(str(parsed / "masks" / "0630.png"), mask)
    out = tmp_path / "out"
    flags = ["--photos", str(tmp_path / "flat.csv"), "--group-column", "sender"]
    cv2.imwrite(str(tmp_path / "empty.jpg"), np.full((40, 50, 3), 90, np.uint8))
    flags += ["--backgrounds", str(tmp_path)]
    assert garment_crops.main(["--parsed", str(parsed), "--out", str(out), *flags]) == 0
    samples = read_csv(out / "index.csv")
    others = [s for s in samples if s.label == "other"]
    assert {s.group.split("-")[0] for s in others} == {"shoot", "drawn", "scenes"}
    street = cv2.imread(str(next(s.path for s in others if s.path.name == "0001-street.jpg")))
    assert street.shape[0] == street.shape[1] and np.abs(street.astype(int) - 120).max() < 8
    samples = [s for s in samples if s.label != "other"]
    assert [(s.label, s.group) for s in samples] == [
        ("longsleeve", "7"), ("t-shirt", "shoot-0"), ("dress", "shoot-63"), ("t-shirt", "shoot-63"),
    ]  # fmt: skip
    cut = cv2.imread(str(samples[1].path))
    assert cut.shape == (48, 48, 3)  # the garment's 40 pixels and a tenth more on each side
    assert "worn: dress 1, t-shirt 2" in capsys.readouterr().out


def test_parsed_photos_are_split_by_number_where_the_others_are_split(sources, tmp_path):
    parsed, boxed = sources
    rows = "path,label,group,split\na.jpg,pants,7,training\nb.jpg,hoodie,8,validation\n"
    (tmp_path / "flat.csv").write_text(rows)
    out = tmp_path / "out"
    flags = ["--photos", str(tmp_path / "flat.csv"), "--boxed", str(boxed), "--dressed"]
    assert garment_crops.main(["--parsed", str(parsed), "--out", str(out), *flags]) == 0
    splits = {s.path.name: s.split for s in read_csv(out / "index.csv") if "drawn" not in s.group}
    assert splits.pop("0001-t-shirt.jpg") == splits.pop("0630-t-shirt.jpg") == "training"
    assert splits.pop("0631-t-shirt.jpg") == splits.pop("b.jpg") == "validation"
    # No dressed hoodie: it is for validation. No boxed shirt: nobody has looked at it.
    assert {name.split("-")[-1] for name in splits} == {"a.jpg", "street.jpg"}


def test_what_cannot_be_joined(sources, tmp_path, capsys):
    parsed, boxed = sources
    assert layer_boxes.main(["--out", str(tmp_path / "out")]) == 2
    (boxed / "data.yaml").write_text(yaml.safe_dump({"train": "train/images", "names": ["cap"]}))
    assert layer_boxes.main(["--out", str(tmp_path / "out"), "--boxed", str(boxed)]) != 0
    assert "mean no layer" in capsys.readouterr().err
    (parsed / "masks" / "0001.png").unlink()
    assert layer_boxes.main(["--out", str(tmp_path / "out"), "--parsed", str(parsed)]) != 0
    assert "0001.jpg has no mask" in capsys.readouterr().err
