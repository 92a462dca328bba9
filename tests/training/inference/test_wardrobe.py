"""Wardrobes: taught, forgotten, read for their own weights alone; which garments they name."""

import numpy as np
import pytest

from preprocessing.errors import UsageError, WeightsError
from preprocessing.images.regions import Region
from training.inference.archives import replace_file, to_bytes
from training.inference.embedding import Decision, EmbeddingSpace
from training.inference.wardrobe import (
    NEAREST_PROTOTYPES,
    PER_PICTURE,
    Wardrobe,
    WardrobeMatcher,
    checked_name,
    name_scores,
    named,
    prototype_views,
)

SIZE = 8
HALF = np.eye(SIZE // 2, dtype=np.float32)  # features are embeddings twice, as cloth and as kind
SPACE = EmbeddingSpace(
    np.zeros(SIZE, np.float32),
    HALF,
    HALF,
    np.tile(HALF[-1], (9, 2)),
    Decision(slope=20.0, shift=10.0),  # named from a score of 0.5 on
)
FIRST, SECOND, THIRD = np.tile(HALF[:3], 2)


@pytest.fixture
def stem(tmp_path):
    """A network, which is any file."""
    (tmp_path / "net.onnx").write_bytes(b"weights")
    return tmp_path / "net"


@pytest.fixture
def wardrobe(stem):
    empty = Wardrobe.empty(stem, SPACE)
    first, second = np.tile(FIRST, (2 * PER_PICTURE, 1)), np.tile(SECOND, (PER_PICTURE, 1))
    return empty.taught("blue jumper", first).taught("jeans", second)


def test_a_taught_garment_is_named_and_others_are_not(wardrobe):
    match = WardrobeMatcher(wardrobe, SPACE)
    assert match.names == ("blue jumper", "jeans")
    found = match(np.stack([FIRST, SECOND + 0.3 * THIRD, THIRD]))
    assert named(found).tolist() == [0, 1, -1]
    assert found[0] == pytest.approx([1, 0], abs=1e-3)
    assert found[2].max() < 1e-3


def test_a_garment_between_two_taught_ones_gets_neither_name(wardrobe):
    found = WardrobeMatcher(wardrobe, SPACE)((FIRST + SECOND)[None])
    assert found[0] == pytest.approx([0.5, 0.5], abs=0.01) and found[0].max() < 0.5
    assert named(found).tolist() == [-1]


def test_a_name_s_nearest_prototypes_count():
    prototypes = np.stack([*[FIRST] * NEAREST_PROTOTYPES, *[SECOND] * 9])
    embeddings, prototypes = SPACE.embed(FIRST[None]), SPACE.embed(prototypes)
    assert name_scores(SPACE, embeddings, prototypes) == pytest.approx([1])
    fewer = prototypes[NEAREST_PROTOTYPES - 1 :]
    assert name_scores(SPACE, embeddings, fewer) == pytest.approx([1 / NEAREST_PROTOTYPES])
    assert name_scores(SPACE, embeddings, fewer[:1]) == pytest.approx([1])


def test_a_picture_is_kept_with_views_of_it():
    image = np.full((400, 600, 3), 128, np.uint8)
    image[100:300, 200:400] = (30, 40, 200)
    region = Region(np.array([200, 100, 400, 300], np.float32), np.full((200, 200), 255, np.uint8))
    found = prototype_views(image, region)
    assert len(found) == PER_PICTURE and found[0][0] is image
    for view, there in found:
        x1, y1, x2, y2 = there.window
        colour = view[y1:y2, x1:x2][there.mask > 0].mean(axis=0)
        assert colour[2] > 1.8 * colour[0]
    assert max(found[1][0].shape) <= 320  # the garment's surroundings


def test_an_empty_wardrobe_names_nothing(stem):
    found = WardrobeMatcher(Wardrobe.empty(stem, SPACE), SPACE)(FIRST[None])
    assert found.shape == (1, 0) and named(found).tolist() == [-1]


def test_what_was_written_is_read(wardrobe, stem, tmp_path):
    path = tmp_path / "new" / "wardrobe.npz"
    wardrobe.write(path)
    read = Wardrobe.read(path, stem=stem, space=SPACE)
    assert read.counts == {"blue jumper": 2, "jeans": 1}
    assert read.features.dtype == np.float16 and (read.features == wardrobe.features).all()


def test_a_name_is_forgotten_with_its_pictures(wardrobe):
    left = wardrobe.without("blue jumper")
    assert left.counts == {"jeans": 1} and (left.features == SECOND).all()
    with pytest.raises(UsageError, match="no garment 'hat' in the wardrobe: have blue jumper, jea"):
        wardrobe.without("hat")


def test_a_wardrobe_of_other_weights_is_refused(wardrobe, stem, tmp_path):
    wardrobe.write(tmp_path / "wardrobe.npz")
    stem.with_suffix(".onnx").write_bytes(b"retrained")
    with pytest.raises(WeightsError, match=r"made with other weights .*training.teach --new"):
        Wardrobe.read(tmp_path / "wardrobe.npz", stem=stem, space=SPACE)


@pytest.mark.parametrize(
    "changes",
    [
        {"features": np.zeros((14, SIZE), np.float16)},
        {"features": np.zeros((15, SIZE + 1), np.float16)},
        {"features": np.zeros((15, SIZE), np.float32)},
        {"features": np.full((15, SIZE), np.nan, np.float16)},
        {"names": np.array([""] + ["a"] * 14)},
        {"names": np.array("a")},
    ],
)
def test_a_damaged_wardrobe_is_refused(wardrobe, stem, tmp_path, changes):
    arrays = {"names": np.array(wardrobe.names), "features": wardrobe.features} | changes
    metadata = {"model": "net", "sha256": wardrobe.weights}
    replace_file(tmp_path / "wardrobe.npz", to_bytes(arrays, metadata))
    with pytest.raises(WeightsError, match=r"wardrobe.npz is no wardrobe"):
        Wardrobe.read(tmp_path / "wardrobe.npz", stem=stem, space=SPACE)


def test_a_missing_wardrobe_is_refused_with_the_command_that_makes_it(stem, tmp_path):
    with pytest.raises(WeightsError, match=r"no wardrobe .*training.teach --images DIR"):
        Wardrobe.read(tmp_path / "none.npz", stem=stem, space=SPACE)


@pytest.mark.parametrize("name", ["", "  ", "a" * 41, "a\0b", "unknown"])
def test_names_that_cannot_be_shown_are_refused(name):
    with pytest.raises(UsageError):
        checked_name(name)


def test_blanks_around_a_name_do_not_count():
    assert checked_name("  blue   jumper\n") == "blue jumper"
