"""Names from probabilities: sums over the tree, the most precise sure name, calibration."""

import numpy as np
import pytest

from preprocessing.datasets.fashion_mnist import CLASSES as FASHION_MNIST
from training.inference.name_tree import NameCalibration, NameTree, path_and_label

CLASSES = ("t-shirt", "longsleeve", "outwear", "pants", "dress", "other")


def result(classes, probabilities, *, threshold=0.5):
    """The path with its probabilities in per cent, and the name."""
    path, name = path_and_label(
        NameTree(tuple(classes)), np.array(probabilities, np.float32), threshold=threshold
    )
    return [(one, round(100 * probability)) for one, probability in path], name


@pytest.mark.parametrize(
    ("probabilities", "path", "name"),
    [
        ([0.7, 0.2, 0.05, 0, 0, 0.05],
         [("garment", 95), ("upper body", 95), ("top", 90), ("t-shirt", 70)], "t-shirt"),
        ([0.4, 0.4, 0.15, 0, 0, 0.05],
         [("garment", 95), ("upper body", 95), ("top", 80), ("t-shirt", 40)], "top"),
        ([0.3, 0.1, 0.4, 0.1, 0.05, 0.05],  # the best class is not on the most probable way
         [("garment", 95), ("upper body", 80), ("top", 40), ("t-shirt", 30)], "upper body"),
        ([0.25, 0, 0.15, 0.3, 0.25, 0.05],  # a garment, but that says nothing
         [("garment", 95), ("upper body", 40), ("top", 25), ("t-shirt", 25)], None),
        ([0, 0, 0, 0, 0.6, 0.4], [("garment", 60), ("dress", 60)], "dress"),
        ([0.2, 0.2, 0, 0, 0, 0.6], [("other", 60)], None),
    ],
)  # fmt: skip
def test_the_most_precise_sure_name(probabilities, path, name):
    assert result(CLASSES, probabilities) == (path, name)


def test_what_is_no_garment_has_no_name_under_any_threshold():
    assert result(CLASSES, [0.4, 0, 0, 0, 0, 0.6], threshold=0.1)[1] is None


def test_classes_of_fashion_mnist():
    probabilities = dict.fromkeys(FASHION_MNIST, 0.0) | {"Sneaker": 0.5, "Sandal": 0.4, "Bag": 0.1}
    path, name = result(FASHION_MNIST, list(probabilities.values()), threshold=0.6)
    assert path == [("garment", 100), ("shoes", 90), ("Sneaker", 50)] and name == "shoes"


def test_classes_that_the_tree_does_not_know():
    assert result(("kilt", "sari"), [0.3, 0.7]) == ([("garment", 100), ("sari", 70)], "sari")
    assert result(("garment",), [1.0])[1] == "garment"  # a class of its own


def test_a_general_name_may_be_a_class_itself():
    tree = NameTree(("top", "t-shirt"))
    assert tree.sums(np.array([0.4, 0.6])) == pytest.approx([1, 1, 1, 0.6])
    assert tree.names == ("garment", "upper body", "top", "t-shirt")


def test_levels_of_the_calibration():
    tree = NameTree(CLASSES)
    assert dict(zip(tree.names, tree.levels, strict=True)) == {
        "garment": "garment", "upper body": "part", "top": "group", "t-shirt": "kind",
        "longsleeve": "kind", "outwear": "kind", "lower body": "part", "pants": "kind",
        "dress": "kind", "other": "kind",
    }  # fmt: skip


def calibrated(calibration, *, worn=False):
    """The probabilities of names with a calibration, of t-shirt 0.6 and longsleeve 0.2."""
    tree = NameTree(CLASSES, calibration)
    sums = tree.sums(np.array([0.6, 0.2, 0.1, 0.0, 0.0, 0.1]))
    return dict(zip(tree.names, tree.calibrated(sums, worn=worn).tolist(), strict=True))


def test_calibration_changes_its_level_and_keeps_the_order_of_a_way():
    plain = calibrated(NameCalibration())
    assert plain["top"] == pytest.approx(0.8) and plain["garment"] == pytest.approx(0.9)
    found = calibrated(NameCalibration(lying={"kind": (0.5, -1.0)}))
    assert found["t-shirt"] == pytest.approx(0.311, abs=0.001)  # log-odds 0.405 * 0.5 - 1
    assert found["top"] == pytest.approx(0.8)
    found = calibrated(NameCalibration(lying={"part": (1.0, -2.2)}))
    assert found["upper body"] == found["top"] == found["t-shirt"] == pytest.approx(0.5, abs=0.01)


def test_worn_garments_have_a_calibration_of_their_own():
    fitted = NameCalibration(lying={"kind": (0.5, -1.0)}, worn={"kind": (1.0, 1.0)})
    assert calibrated(fitted)["t-shirt"] == pytest.approx(0.311, abs=0.001)
    assert calibrated(fitted, worn=True)["t-shirt"] == pytest.approx(0.8, abs=0.001)  # below top's


def test_a_way_is_kept_until_another_is_clearly_more_probable():
    tree = NameTree(CLASSES)

    def leaf(kept, *probabilities):
        sums = tree.sums(np.array([*probabilities, 0, 0, 0, 0]))
        return tree.names[tree.descend(sums, kept=kept, convincing=1.5)[-1]]

    way = tree.way_to(tree.names.index("longsleeve"))
    assert leaf((), 0.55, 0.45) == "t-shirt"
    assert leaf(way, 0.55, 0.45) == "longsleeve"
    assert leaf(way, 0.65, 0.35) == "t-shirt"
