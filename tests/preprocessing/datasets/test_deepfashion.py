"""DeepFashion's lists of categories, in the variants that circulate."""

from pathlib import Path

import make
import pytest

from preprocessing.datasets import deepfashion
from preprocessing.datasets.samples_and_splits import crossing_groups
from preprocessing.errors import DataError

LISTS = make.ROOT.parent / "shared" / "data" / "deepfashion_lists"


def deepfashion_folder(root: Path, *, count: str = "2\n", gap: str = "    ") -> Path:
    anno = root / "Anno_coarse"
    anno.mkdir(parents=True)
    header = "category_name category_type\n"
    (anno / "list_category_cloth.txt").write_text(f"{count}{header}Tee{gap}1\nDress{gap}3\n")
    rows = f"img/Red_Tee/1.jpg{gap}1\nimg/Red_Tee/2.jpg{gap}2\n"
    (anno / "list_category_img.txt").write_text(f"{count}image_name category_label\n{rows}")
    (root / "Eval").mkdir()
    text = f"{count}image_name evaluation_status\nimg/Red_Tee/1.jpg train\nimg/Red_Tee/2.jpg val\n"
    (root / "Eval" / "list_eval_partition.txt").write_text(text)
    return root


@pytest.mark.parametrize("count", ["2\n", "50\n", ""])
@pytest.mark.parametrize("gap", ["   ", "\t"])
def test_deepfashion_lists_as_they_circulate(tmp_path, count, gap):
    samples = deepfashion.read_samples(deepfashion_folder(tmp_path, count=count, gap=gap))
    # The label is the annotated id's, though the folder's name says Tee.
    assert [sample.label for sample in samples] == ["Tee", "Dress"]
    assert [sample.split for sample in samples] == ["training", "validation"]
    assert crossing_groups(samples) == ["img/Red_Tee"]


def test_deepfashion_without_a_list(tmp_path):
    folder = deepfashion_folder(tmp_path)
    (folder / "Anno_coarse" / "list_category_img.txt").unlink()
    with pytest.raises(DataError, match="list_category_img"):
        deepfashion.read_samples(folder)


@pytest.mark.skipif(not LISTS.is_dir(), reason="the DeepFashion lists are not here")
@pytest.mark.parametrize(
    ("name", "count"),
    [("list_category_cloth.txt", 50), ("list_category_cloth.46rows.txt", 46)],
)
def test_the_real_category_lists(name, count):
    found = deepfashion.read_categories(LISTS / name)
    assert len(found) == count and found[0][1] == "upper"
    assert {kind for _, kind in found} == {"upper", "lower", "full"}
