"""Embeddings: features under masks, scores against a background, the fitted file."""

from dataclasses import replace

import numpy as np
import pytest

from preprocessing.errors import WeightsError
from preprocessing.images.regions import Region, photo_input
from training.inference.embedding import (
    NEAREST,
    Decision,
    EmbeddingSpace,
    FeatureNetwork,
    crops_with_masks,
    masked_statistics,
    read_space,
    space_path,
    write_space,
)
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import WEIGHTS_DIR, locate

DECISION = Decision(slope=10.0, shift=5.0)


def space(background):
    """Features are embeddings twice, as cloth and as kind; the background is of such."""
    size = background.shape[1]
    axes, mean = np.eye(size, dtype=np.float32), np.zeros(2 * size, np.float32)
    made = EmbeddingSpace(mean, axes, axes, np.zeros((0, 2 * size), np.float32), DECISION)
    return replace(made, background=made.embed(np.tile(background, 2)).astype(np.float32))


@pytest.fixture
def stem(tmp_path):
    """A network, which is any file."""
    (tmp_path / "net.onnx").write_bytes(b"weights")
    return tmp_path / "net"


def test_features_are_of_the_garment_s_pixels():
    maps = np.zeros((1, 2, 2, 2), np.float32)
    maps[0, 0], maps[0, 1] = [[1, 3], [8, 8]], 5
    masks = np.zeros((1, 4, 4), np.uint8)
    masks[:, :2] = 255  # the upper cells
    found = masked_statistics([maps], masks)[0]
    assert found == pytest.approx([2, 5, 1, 0], abs=0.05)


def test_without_a_mask_features_are_of_all_pixels():
    maps = np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2)
    found = masked_statistics([maps], np.zeros((1, 4, 4), np.uint8))[0]
    assert found == pytest.approx([1.5, 1.118], abs=1e-3)


def test_the_mask_is_cropped_as_the_picture():
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    region = Region(np.array([50, 10, 70, 30], np.float32), np.full((20, 20), 255, np.uint8))
    info = locate("photo")[1]
    planes = crops_with_masks(image, [region], info)[0]
    assert planes.shape == (4, 224, 224)
    assert (planes[:3] == photo_input(image, region, 224)).all()
    assert planes[3, 112, 112] == 255 and planes[3, 5, 112] == 0 == planes[3, 112, -5]
    assert (planes[3] > 127).mean() == pytest.approx(1 / 1.2**2, abs=0.02)


def test_features_come_beside_the_logits_of_the_file():
    stem, info = locate("photo")
    batch = np.random.default_rng(0).integers(0, 256, (2, 4, 224, 224), dtype=np.uint8)
    network = FeatureNetwork(stem, info)
    rows = network(batch)
    plain = OpenVinoNetwork(stem, threads=1)(np.ascontiguousarray(batch[:, :3]))
    assert rows.shape == (2, len(info.classes) + len(read_space(stem).mean))
    assert rows.dtype == np.float32
    assert np.allclose(rows[:, : network.classes], plain, atol=1e-4)


def test_a_crowded_place_lowers_scores():
    common, rare = np.eye(3)[:2]
    background = np.concatenate([np.tile(common, (NEAREST, 1)), np.tile(-rare, (NEAREST, 1))])
    made = space(background)
    embeddings = made.embed(np.tile(np.stack([common, rare]), 2))
    scores = made.scores(embeddings, embeddings)
    assert scores == pytest.approx(np.array([[0, -0.5], [-0.5, 1]]), abs=1e-6)


def test_the_embedding_is_read_as_written(stem):
    made = space(np.eye(8))
    assert write_space(made, stem) == space_path(stem)
    read = read_space(stem)
    assert read.decision == made.decision
    assert np.abs(read.background - made.background).max() < 1e-3
    assert (read.mean == made.mean).all() and (read.cloth == made.cloth).all()


def test_the_embedding_of_other_weights_is_refused(stem):
    write_space(space(np.eye(8)), stem)
    stem.with_suffix(".onnx").write_bytes(b"retrained")
    with pytest.raises(WeightsError, match=r"other weights: fit it .*fit_wardrobe --model net"):
        read_space(stem)


def test_without_an_embedding_nothing_can_be_taught(stem):
    with pytest.raises(WeightsError, match=r"cannot be taught to net.*--model photo"):
        read_space(stem)


@pytest.mark.parametrize(
    "changes",
    [
        {"background": np.eye(16)[:, :7]},
        {"background": np.eye(16)[:2]},
        {"mean": np.zeros(15)},
        {"kind": np.eye(7)},
    ],
)
def test_arrays_that_do_not_fit_are_damage(stem, changes):
    write_space(replace(space(np.eye(8)), **changes), stem)
    with pytest.raises(WeightsError, match="is damaged"):
        read_space(stem)


def test_the_committed_embedding_belongs_to_the_committed_weights():
    found = read_space(WEIGHTS_DIR / "photo")
    assert len(found.cloth) + len(found.kind) == 160 and len(found.background) >= 400
    assert space_path(WEIGHTS_DIR / "photo").stat().st_size < 600_000
