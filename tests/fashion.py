"""Makes a miniature of the DeepFashion benchmark: its lists, and pictures of squares."""

from pathlib import Path

import cv2
import numpy as np

SPLITS = {"train": 12, "val": 6, "test": 6}
CATEGORIES = {"Tee": 1, "Skirt": 2, "Dress": 3}
LISTS = {  # header of each list
    "list_category_cloth": "category_name  category_type",
    "list_category_img": "image_name  category_label",
    "list_attr_cloth": "attribute_name  attribute_type",
    "list_attr_img": "image_name  attribute_labels",
    "list_bbox": "image_name  x_1 y_1 x_2 y_2",
    "list_eval_partition": "image_name evaluation_status",
    "list_landmarks": "image_name clothes_type landmark_visibility_1 ...",
}


def folder(root: Path) -> Path:
    """Squares of three colours, one a category, with an attribute and a landmark in the middle."""
    rows: dict[str, list[str]] = {name: [] for name in LISTS}
    rows["list_category_cloth"] = [f"{name}  {kind}" for name, kind in CATEGORIES.items()]
    rows["list_attr_cloth"] = ["dark one  1", "large  3"]
    for split, count in SPLITS.items():
        for k in range(count):
            rng = np.random.default_rng(100 * len(split) + k)
            number, large = k % 3, bool(k % 2)
            image = rng.integers(180, 255, (60, 50, 3), np.uint8)
            side, (x, y) = (26 if large else 14), rng.integers(2, 20, 2)
            colour = [(200, 30, 30), (30, 160, 30), (20, 20, 120)][number]
            cv2.rectangle(image, (int(x), int(y)), (int(x) + side, int(y) + side), colour, -1)
            name = f"img/{list(CATEGORIES)[number]}_{split}{k}/img_1.jpg"
            (root / name).parent.mkdir(parents=True)
            cv2.imwrite(str(root / name), image)
            rows["list_category_img"].append(f"{name}  {number + 1}")
            rows["list_attr_img"].append(f"{name}  {1 if number == 2 else -1} {1 if large else 0}")
            rows["list_bbox"].append(f"{name}  {x:03d} {y:03d} {x + side:03d} {y + side:03d}")
            rows["list_eval_partition"].append(f"{name}  {split}")
            rows["list_landmarks"].append(f"{name} 1 0 {x + side // 2:03d} {y + side // 2:03d}")
    for name, lines in rows.items():
        folder = root / ("Eval" if name == "list_eval_partition" else "Anno")
        folder.mkdir(exist_ok=True)
        text = "\n".join([str(len(lines)), LISTS[name], *lines]) + "\n"
        (folder / f"{name}.txt").write_text(text)
    return root
