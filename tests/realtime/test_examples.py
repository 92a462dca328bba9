"""Every example of the library, run on small inputs; and those of its docstrings."""

import ast
import doctest
import functools
import importlib

import cv2
import make
import numpy as np
import pytest

import realtime
from realtime import Recogniser
from realtime.analysis.locators import LOCATORS
from realtime.library import garments, recogniser

FOLDER = make.ROOT / "realtime" / "examples"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
PERSON = FOLDER.parent / "page" / "labelled.jpg"  # one person in orange
LINES = range(12, 41)


@functools.cache
def loaded(**options) -> Recogniser:
    """A Recogniser whose networks all examples share that want the same."""
    return Recogniser(**options)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A folder with a picture of a person, another file, and a clip of half a second."""
    folder = tmp_path_factory.mktemp("inputs")
    person = cv2.imread(str(PERSON))
    (folder / "pictures").mkdir()
    (folder / "pictures" / "person.jpg").write_bytes(PERSON.read_bytes())
    (folder / "pictures" / "notes.txt").write_text("no picture")
    make.jpeg_clip(folder / "clip.mkv", [np.roll(person, 2 * number, 1) for number in range(12)])
    return folder


CALLS = {  # by example: its arguments, and what it prints or writes
    "one_picture": (("{pictures}/person.jpg", "{out}/a.png"), "orange longsleeve (", "a.png"),
    "folder_to_csv": (("{pictures}", "{out}/a.csv"), "", "a.csv"),
    "clip_with_tracks": (("{clip}",), "0.44 s  orange longsleeve (track 1)", ""),
    "supervision_annotators": (("{pictures}/person.jpg", "{out}/a.png"), " garments in", "a.png"),
    "how_long_was_red_seen": (("{clip}", "orange"), "orange was seen for 0.6 s\n  longslee", ""),
    "crop_every_dress": (("{pictures}", "{out}", "top"), "person.jpg: 1", "person-0.png"),
    "people_by_jacket": (("{clip}",), "1 in orange", ""),
    "webcam_window": (("{clip}",), "", ""),
    "own_sink": (("{clip}",), "0.00 s: person 1 in longsleeve", ""),
    "own_locator": (("{pictures}/person.jpg",), "<Garments: ", ""),
}


@pytest.mark.parametrize("name", NAMES)
def test_it_runs(name, inputs, tmp_path, monkeypatch, capsys):
    if name == "supervision_annotators":
        pytest.importorskip("supervision", reason="supervision is not installed")
    if name == "how_long_was_red_seen":
        pytest.importorskip("pandas", reason="pandas is not installed")
    arguments, words, written = CALLS[name]
    places = {"pictures": inputs / "pictures", "clip": inputs / "clip.mkv", "out": tmp_path}
    shown = display(monkeypatch)
    example = importlib.import_module(f"realtime.examples.{name}")
    monkeypatch.setattr(example, "Recogniser", loaded)
    example.main(*(argument.format_map(places) for argument in arguments))
    assert words in capsys.readouterr().out
    assert not written or (tmp_path / written).stat().st_size
    assert len(shown) == (3 if name == "webcam_window" else 0)
    LOCATORS.pop("coloured", None)


def display(monkeypatch):
    """Stand in for OpenCV's windows: collects pictures, and presses q at the third."""
    shown: list[np.ndarray] = []
    monkeypatch.setattr(cv2, "imshow", lambda name, picture: shown.append(picture))
    monkeypatch.setattr(cv2, "waitKey", lambda wait: ord("q") if len(shown) == 3 else -1)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: None)
    return shown


@pytest.mark.parametrize("name", NAMES)
def test_it_is_short_and_begins_with_its_idea(name):
    text = (FOLDER / f"{name}.py").read_text()
    assert len(text.splitlines()) in LINES and ast.get_docstring(ast.parse(text))
    assert 'if __name__ == "__main__":\n    main(*sys.argv[1:])\n' in text


@pytest.mark.parametrize("module", [realtime, recogniser, garments], ids=lambda m: m.__name__)
def test_examples_of_docstrings(module, monkeypatch):
    monkeypatch.chdir(make.ROOT)
    failed, tried = doctest.testmod(module)
    assert tried and not failed
