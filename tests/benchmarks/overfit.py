"""Can every backbone and head learn 64 pictures by heart? A network that cannot has a fault.

`python tests/benchmarks/overfit.py TABLE IMAGES [BACKBONE[/HEAD]...]` prints the epochs until all
known labels are answered right, in evaluation mode, or how many are after the last epoch.
"""

import dataclasses
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from training.common.flags import BACKBONES

from preprocessing.datasets.attribute_table import read_table
from training.attributes.data import open_parts
from training.attributes.fit import AttributeTask
from training.attributes.settings import ATTRIBUTE_MODELS

PICTURES, BATCH, EPOCHS = 64, 16, 240
SIDE = 96
# At 96 inception's last maps are one place, which leaves nothing to pool; vgg19 is slow.
SIDES = {"inception-v3": 160, "vgg19": 64}
LEARNT = 0.2  # loss of an epoch under which it is worth asking how many labels are right
# The highest learning rates of backbones: without batch norm, vgg19 learns slowly or not at all.
RATES = {"vgg19": 1e-4, "inception-v3": 3e-4}
HEAD_RATE = 1e-3
HEADS = ("linear", "custom", "bilinear")


def main() -> None:
    table, images = read_table(Path(sys.argv[1])), Path(sys.argv[2])
    for named in sys.argv[3:] or BACKBONES:
        backbone, _, chosen = named.partition("/")
        for head in [chosen] if chosen else HEADS:
            start = time.perf_counter()
            epochs, right, known = learn(table, images, backbone, head)
            print(f"{backbone} {head}: {right} of {known} labels after {epochs} epochs, "
                  f"{time.perf_counter() - start:.0f} s", flush=True)  # fmt: skip


def learn(table, images: Path, backbone: str, head: str) -> tuple[int, int, int]:
    """Epochs needed, labels right and labels known."""
    recipe = dataclasses.replace(
        ATTRIBUTE_MODELS["attributes"], network=backbone, head=head, crop=1.0,
        size=SIDES.get(backbone, SIDE), dropout=0.0,
        pretrained="imagenet" if backbone == "efficientnet-lite0" else "none",
    )  # fmt: skip
    parts = open_parts(table, images, recipe, seed=0, limit=PICTURES)
    part = parts.training
    pictures = torch.from_numpy(np.stack([part.picture(k) for k in range(len(part))]))
    torch.manual_seed(0)
    task = AttributeTask(recipe, parts.attributes, modes=parts.modes)
    own = list(task.network.backbone.parameters())
    others = [p for p in task.network.parameters() if all(p is not one for one in own)]
    optimizer = torch.optim.AdamW([
        {"params": own, "lr": RATES.get(backbone, HEAD_RATE)}, {"params": others, "lr": HEAD_RATE},
    ])  # fmt: skip
    # To nothing in the end: norms' running means lag behind weights that still move.
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    known = int((part.labels >= 0).sum())
    for epoch in range(1, EPOCHS + 1):
        task.network.train()
        losses = []
        for rows in torch.randperm(len(part)).split(BATCH):
            with torch.autocast("cpu", torch.bfloat16):
                loss = task.loss(task(pictures[rows].float()).float(), part.labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        schedule.step()
        if np.mean(losses) > LEARNT and epoch < EPOCHS:
            continue
        right = correct(task, pictures, part.labels)
        if right == known:
            return epoch, right, known
    return EPOCHS, right, known


def correct(task: AttributeTask, pictures: torch.Tensor, labels: torch.Tensor) -> int:
    """Known labels that are answered right."""
    task.network.eval()
    with torch.inference_mode():
        share = task.accuracy(task(pictures.float()).float(), labels)
    return round(float(share) * int((labels >= 0).sum()))


if __name__ == "__main__":
    main()
