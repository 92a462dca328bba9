"""Data sets from users' folders: what is wrong is counted and named, and nothing is rewritten."""

import csv
import json

import photos
import pytest

from preprocessing.builders import photo_dataset


@pytest.fixture
def source(tmp_path):
    return photos.folder(tmp_path / "photos")


def snapshot(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def run(source, out, *flags):
    return photo_dataset.main([str(source), "--out", str(out), *flags])


def index(folder):
    with (folder / "index.csv").open() as file:
        return list(csv.DictReader(file))


def test_everything_is_written_and_nothing_touched(source, tmp_path, capsys):
    before = snapshot(source)
    assert run(source, tmp_path / "a") == 0
    assert snapshot(source) == before
    assert json.loads((tmp_path / "a" / "mapping.json").read_text()) == {
        "band": 0, "block": 1, "strip": 2
    }  # fmt: skip
    rows = index(tmp_path / "a")
    assert len(rows) == 36 and {row["split"] for row in rows} == {"training", "validation", "test"}
    assert {path.name for path in (tmp_path / "a").iterdir()} == {
        "index.csv", "mapping.json", "report.md", "bad.csv", "classes.png"
    }  # fmt: skip
    assert "| **all** |" in capsys.readouterr().out
    assert run(source, tmp_path / "b") == 0
    assert snapshot(tmp_path / "b").values() and index(tmp_path / "b") == rows


def test_a_class_with_one_image_is_dropped_and_named(source, tmp_path, capsys):
    (source / "lonely").mkdir()
    (source / "band" / "00.png").rename(source / "lonely" / "1.png")
    (source / "empty").mkdir()
    assert run(source, tmp_path / "out") == 0
    assert "too few pictures: lonely (1)" in capsys.readouterr().out
    assert {row["label"] for row in index(tmp_path / "out")} == set(photos.SHAPES)


def test_the_cap_draws_by_the_seed(source, tmp_path):
    flags = ["--max-images", "6"]
    drawn = []
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        assert run(source, tmp_path / name, *flags, "--seed", seed) == 0
        drawn.append({row["path"] for row in index(tmp_path / name)})
    assert len(drawn[0]) == 18 and drawn[0] == drawn[1] != drawn[2]
    first = {f"{number:02d}.png" for number in range(6)}
    assert {path.rsplit("/", 1)[1] for path in drawn[0]} != first


def test_bad_pictures_are_counted_and_listed_or_refused(source, tmp_path, capsys):
    broken = source / "band" / "03.png"
    broken.write_bytes(broken.read_bytes()[:100])
    assert run(source, tmp_path / "out") == 8
    assert "1 of 36 pictures are missing or unreadable" in capsys.readouterr().err
    assert run(source, tmp_path / "out", "--max-bad", "0.05") == 0
    assert len(index(tmp_path / "out")) == 35
    assert "03.png" in (tmp_path / "out" / "bad.csv").read_text()


def test_a_csv_that_names_absent_files(source, tmp_path, capsys):
    table = tmp_path / "list.csv"
    rows = [f"photos/{label}/{n:02d}.png,{label},{n // 2}" for label in photos.SHAPES
            for n in range(14)]  # fmt: skip
    table.write_text("\n".join(["path,label,group", *rows]))
    assert run(table, tmp_path / "out", "--max-bad", "0.2") == 0
    found = index(tmp_path / "out")
    assert len(found) == 36
    sides = {}
    for row in found:
        assert sides.setdefault(row["group"], row["split"]) == row["split"]
    assert "missing or unreadable pictures: 6" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "status", "said"),
    [
        (["--validation", "0.6", "--test", "0.6"], 2, "nothing to train on"),
        (["--max-images", "1"], 2, "--max-images"),
        (["--classes", "hat"], 8, "no class hat"),
        (["--min-images", "99"], 8, "wanted 2 or more"),
    ],
)
def test_bad_flags(source, tmp_path, capsys, flags, status, said):
    assert run(source, tmp_path / "out", *flags) == status
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


@pytest.mark.parametrize("flags", [["--validation", "1"], ["--min-images", "0"], ["--seed", "x"]])
def test_values_out_of_range(source, tmp_path, capsys, flags):
    with pytest.raises(SystemExit) as stopped:
        run(source, tmp_path / "out", *flags)
    assert stopped.value.code == 2
    assert flags[0] in capsys.readouterr().err


def test_no_data_set(tmp_path, capsys):
    (tmp_path / "nothing").mkdir()
    assert run(tmp_path / "nothing", tmp_path / "out") == 8
    assert run(tmp_path / "absent", tmp_path / "out") == 8
    assert capsys.readouterr().err.count("\n") == 2


def test_near_duplicates_across_splits_are_reported(source, tmp_path, capsys):
    for part, count in (("train", range(12)), ("val", range(10, 12))):
        for label in photos.SHAPES:
            (tmp_path / "split" / part / label).mkdir(parents=True)
            for n in count:
                name = f"{label}/{n:02d}.png"
                (tmp_path / "split" / part / name).write_bytes((source / name).read_bytes())
    assert run(tmp_path / "split", tmp_path / "out") == 0
    assert "`" in (tmp_path / "out" / "report.md").read_text()
    assert "nearly identical pictures in different splits: 0" not in capsys.readouterr().out
