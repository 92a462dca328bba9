"""Numbers fitted to weights: they are read for those weights alone."""

import json
import shutil

import pytest

from preprocessing.errors import WeightsError
from training.inference.fitted import FittedFile
from training.inference.label_fusion import FUSION, FusionWeights
from training.inference.name_tree import NAMES
from training.inference.parser import POSTPROCESSING
from training.inference.pose import LIMB_ODDS
from training.inference.weights import WEIGHTS_DIR, read_manifest

COMMITTED = [(kind, path) for kind in (FUSION, LIMB_ODDS, NAMES, POSTPROCESSING)
             for path in sorted(WEIGHTS_DIR.glob(f"*.{kind.kind}.json"))]  # fmt: skip
FITTED = FusionWeights(lying=(0.5, 1.5), worn=(0.25, 1.0))


@pytest.fixture
def stems(tmp_path):
    """Two networks, which are any files."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.onnx").write_bytes(name.encode())
    return tmp_path / "one", tmp_path / "two"


def test_what_was_written_is_read(stems, caplog):
    path = FUSION.write(FITTED, *stems, origin="a command")
    assert path == stems[0].with_name("one+two.fusion.json")
    assert FUSION.read(*stems) == FITTED and not caplog.records


@pytest.mark.parametrize("network", [0, 1])
def test_a_retrained_network_does_not_get_its_predecessor_s_numbers(stems, network, caplog):
    FUSION.write(FITTED, *stems, origin="a command")
    stems[network].with_suffix(".onnx").write_bytes(b"retrained")
    assert FUSION.read(*stems) == FUSION.neutral
    assert "was fitted to other weights" in caplog.text
    assert "fusion_weights --model one --locate two" in caplog.text


def test_without_a_file_numbers_are_neutral(stems, caplog):
    assert FUSION.read(*stems) == FUSION.neutral
    assert len(caplog.records) == 1 and "fusion_weights --model one --locate two" in caplog.text


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "no JSON", '{"sha256": {}, "fusion": {"lying": "a lot"}}',
     '{"sha256": {}, "fusion": {"unknown": 1}}', '{"sha256": {}, "fusion": [1]}'],
)  # fmt: skip
def test_a_damaged_file_is_named(stems, text):
    path = FUSION.path(*stems)
    path.write_text(text)
    with pytest.raises(WeightsError, match=r"one\+two.fusion.json is damaged"):
        FUSION.read(*stems)


@pytest.mark.parametrize(("kind", "path"), COMMITTED, ids=lambda value: getattr(value, "name", ""))
def test_committed_numbers_belong_to_the_committed_weights(kind: FittedFile, path, caplog):
    checksums = json.loads(path.read_text())["sha256"]
    manifest = read_manifest()
    assert checksums == {name: manifest[name]["sha256"]["onnx"] for name in checksums}
    stems = [WEIGHTS_DIR / name for name in path.name.split(".")[0].split("+")]
    assert kind.read(*stems) != kind.neutral and not caplog.records


def test_numbers_are_sought_beside_the_weights(tmp_path):
    for name in ("photo", "parser"):
        shutil.copy(WEIGHTS_DIR / f"{name}.onnx", tmp_path)
    stems = tmp_path / "photo", tmp_path / "parser"
    assert FUSION.read(*stems) == FUSION.neutral
    shutil.copy(FUSION.path(WEIGHTS_DIR / "photo", WEIGHTS_DIR / "parser"), tmp_path)
    assert FUSION.read(*stems) != FUSION.neutral
