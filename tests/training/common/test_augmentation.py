"""Augmentation of batches."""

import pytest
import torch

from training.common.augmentation import AUGMENTATIONS, dye
from training.common.settings import AUGMENTATION_NAMES


def test_flags_offer_all_augmentations():
    assert tuple(AUGMENTATIONS) == AUGMENTATION_NAMES


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_augmentation_keeps_shape_range_and_seed(name):
    images = torch.randint(0, 256, (16, 1, 28, 28), generator=torch.Generator().manual_seed(0))
    images = images.float()
    torch.manual_seed(0)
    first = AUGMENTATIONS[name](images.clone())
    torch.manual_seed(0)
    assert torch.equal(first, AUGMENTATIONS[name](images.clone()))
    assert first.shape == images.shape and first.min() >= 0 and first.max() <= 255.01
    assert torch.equal(first, images) == (name == "none")


def test_light_only_mirrors_and_shifts_by_whole_pixels():
    image = torch.zeros(1, 1, 28, 28)
    image[0, 0, 10, 6] = 200.0
    places = set()
    for seed in range(200):
        torch.manual_seed(seed)
        moved = AUGMENTATIONS["light"](image)[0, 0]
        assert moved.sum() == pytest.approx(200, abs=0.5)
        row, column = divmod(int(moved.argmax()), 28)
        places.add((row - 10, min(abs(column - 6), abs(column - 21))))
    assert places == {(dy, dx) for dy in range(-2, 3) for dx in range(3)}


def test_dyeing_turns_hues_and_leaves_greys():
    torch.manual_seed(0)
    grey = torch.full((64, 3, 4, 4), 90.0)
    assert torch.allclose(dye(grey), grey, atol=0.01)
    red = torch.tensor([20.0, 30, 220]).view(1, 3, 1, 1).expand(200, 3, 2, 2)
    turned = dye(red)
    changed = (turned - red).abs().amax(dim=(1, 2, 3)) > 1
    assert 0.2 < changed.float().mean() < 0.5
    assert turned[:, 1].max() > 150  # some are green now
    assert torch.allclose(turned[~changed], red[~changed], atol=0.01)


def test_strong_erases_about_half_of_the_images():
    torch.manual_seed(0)
    black = torch.zeros(400, 1, 28, 28)
    erased = (AUGMENTATIONS["strong"](black).amax(dim=(1, 2, 3)) > 0).float().mean()
    assert 0.4 < erased < 0.6
