"""Segmentation: garments in front of backgrounds of few colours, green screens, moving ones."""

import cv2
import make
import numpy as np
import pytest

from preprocessing.images.regions import box_iou
from preprocessing.images.segmentation import SEGMENTERS, Segmenter, segment
from preprocessing.synthesis.cutouts import BACKGROUNDS, paste, tinted

SIZE = (640, 480)
# Backgrounds of few colours, for which segmentation by the colours of the border is made.
GROUNDS = sorted(BACKGROUNDS.keys() - {"clouds", "clutter"})


def garments(ground, *, count=3, grey=60):
    """Oval garments of one grey on a ground: the image and their true boxes."""
    image, boxes = ground.copy(), []
    mask = np.zeros((160, 160), np.uint8)
    cv2.ellipse(mask, (80, 80), (45, 70), 0, 0, 360, 255, cv2.FILLED)
    flat = tinted(np.full(mask.shape, grey, np.uint8), hue=0.6, saturation=0.3)
    for place in range(count):
        centre = (SIZE[0] * (place + 0.5) / count, SIZE[1] / 2)
        boxes.append(paste(image, flat, mask, centre=centre).box)
    return image, np.stack(boxes)


@pytest.mark.parametrize("kind", GROUNDS)
@pytest.mark.parametrize(("colour", "grey"), [((220, 225, 230), 50), ((60, 45, 40), 235)])
def test_every_garment_gets_a_tight_box(kind, colour, grey):
    ground = BACKGROUNDS[kind](SIZE, np.random.default_rng(0), colour)
    image, truth = garments(ground, grey=grey)
    found = np.stack([region.box for region in segment(image)])
    assert len(found) == len(truth)
    assert box_iou(truth, found).max(axis=1).min() > 0.85


@pytest.mark.parametrize("kind", GROUNDS)
def test_empty_ground_holds_nothing(kind):
    for colour in ((220, 225, 230), (60, 45, 40), (90, 160, 90)):
        assert segment(BACKGROUNDS[kind](SIZE, np.random.default_rng(1), colour)) == []


@pytest.mark.parametrize("method", ["border", "grabcut"])
def test_a_garment_s_mask_has_its_shape(method):
    image = make.scene(640, 480)
    truth = (image[..., 0] < 150).astype(np.uint8)
    region = segment(image, method)[0]
    mask = np.zeros(image.shape[:2], bool)
    x1, y1, x2, y2 = region.window
    mask[y1:y2, x1:x2] = region.mask > 0
    assert region.mask.shape == (y2 - y1, x2 - x1)
    assert (mask & (truth > 0)).sum() / (mask | (truth > 0)).sum() > 0.9


def test_green_screen():
    image, truth = garments(np.full((480, 640, 3), (60, 190, 50), np.uint8), count=2, grey=120)
    found = np.stack([region.box for region in segment(image, "green")])
    assert box_iou(truth, found).max(axis=1).min() > 0.9


def test_a_moving_garment_on_a_still_ground():
    moving = Segmenter("motion")
    ground = BACKGROUNDS["woven"](SIZE, np.random.default_rng(0), (200, 210, 220))
    for _ in range(30):
        regions = moving(ground)
    assert regions == []
    image, truth = garments(ground, count=1)
    assert box_iou(truth, np.stack([r.box for r in moving(image)])).max() > 0.7


@pytest.mark.parametrize("gains", [(1, 1, 1), (0.7, 0.7, 0.7), (1.2, 1.15, 1.1), (0.9, 0.8, 0.75)])
def test_a_camera_that_changes_its_exposure_shows_no_motion_but_what_moves(gains):
    moving = Segmenter("motion")
    ground = BACKGROUNDS["woven"](SIZE, np.random.default_rng(0), (170, 180, 190))
    for _ in range(30):
        moving(ground)
    image, truth = garments(ground, count=1)
    exposed = [np.clip(one * np.array(gains), 0, 255).astype(np.uint8) for one in (ground, image)]
    assert moving(exposed[0]) == []
    (found,) = moving(exposed[1])
    assert box_iou(truth, found.box[None]).max() > 0.7


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 5), (33, 2000)])
def test_tiny_and_narrow_images(shape):
    for method in SEGMENTERS:
        assert isinstance(segment(np.full((*shape, 3), 128, np.uint8), method), list)


@pytest.mark.parametrize("size", [(641, 479), (768, 432), (333, 777), (1919, 1080)])
def test_boxes_and_masks_fit_images_of_any_size(size):
    image = make.scene(*size)
    for region in segment(image):
        x1, y1, x2, y2 = region.window
        assert 0 <= x1 < x2 <= size[0] and 0 <= y1 < y2 <= size[1]
        assert region.mask.shape == (y2 - y1, x2 - x1)
    assert segment(image)


def test_colours_kept_over_frames_give_the_same_garments():
    segmenter = Segmenter("border")
    image = make.scene(640, 480)
    first, *later = [segmenter(image) for _ in range(7)]
    for regions in later:
        assert (regions[0].box == first[0].box).all()
