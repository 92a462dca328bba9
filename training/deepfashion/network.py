"""A backbone with a box branch, whose box's own features join the global ones under every head."""

import torch
from torch import nn
from torch.nn import functional as F

from training.deepfashion.outputs import Outputs
from training.models.backbones import BACKBONES, make_backbone
from training.models.normalise import Normalise

REDUCED = 64  # maps that the box is read from
FINER = 2  # times the backbone's places a side, that they have
LEAN = 4.0  # of the edges' scores from border to border: an untrained box has a middling size
LOCAL, LOCAL_GRID = 128, 3  # maps of the box's region, and places a side
SAMPLES = 2  # a side of such a place


class FashionNetwork(nn.Module):
    """Raw pixels (N, 3, S, S) to answers (N, outputs.size); boxes are shares of the side, ordered
    and within 0 to 1, everything else logits or raw coordinates.

    The local features are aligned to the network's own box (He et al. 2017, arXiv 1703.06870), in
    training as in use.
    """

    def __init__(self, name: str, outputs: Outputs, *, size: int, dropout: float):
        super().__init__()
        self.normalise = Normalise(*BACKBONES[name].normalise)
        self.backbone, channels = make_backbone(name, size)
        self.box = nn.Sequential(
            nn.Conv2d(channels, REDUCED, 1), nn.ReLU(),
            nn.Upsample(scale_factor=FINER, mode="bilinear", align_corners=False),
            nn.Conv2d(REDUCED, REDUCED, 3, padding=1), nn.ReLU(),
            nn.Conv2d(REDUCED, 4, 3, padding=1),
        )  # fmt: skip
        self.local = nn.Sequential(nn.Conv2d(channels, LOCAL, 1), nn.ReLU())
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        features = channels + LOCAL * LOCAL_GRID**2
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(features, outputs.size - 4))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.backbone(self.normalise(images))
        box = box_of(self.box(maps).float())
        cut = aligned(self.local(maps).float(), box.detach()).flatten(1)
        features = torch.cat([self.pool(maps).float(), cut], dim=1)
        return torch.cat([box, self.head(features).float()], dim=1)


def aligned(maps: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """What maps (N, C, h, w) hold in a box (N, 4) each, in shares of the sides: (N, C, 3, 3).

    RoIAlign with four samples a place; torchvision's cannot be exported for any number of pictures.
    """
    samples = LOCAL_GRID * SAMPLES
    steps = (torch.arange(samples, device=maps.device, dtype=maps.dtype) + 0.5) / samples
    x = boxes[:, 0:1] + steps * (boxes[:, 2:3] - boxes[:, 0:1])  # (N, samples)
    y = boxes[:, 1:2] + steps * (boxes[:, 3:4] - boxes[:, 1:2])
    columns = x[:, None, :].expand(-1, samples, -1)
    rows = y[:, :, None].expand(-1, -1, samples)
    grid = 2 * torch.stack([columns, rows], dim=3) - 1
    return F.avg_pool2d(F.grid_sample(maps, grid, align_corners=False), SAMPLES)


def box_of(scores: torch.Tensor) -> torch.Tensor:
    """Maps (N, 4, h, w) to boxes (N, 4) in shares of the sides, their corners in order.

    Two maps tell where the upright edges are, two where the level ones: each edge is the mean place
    under the softmax of its map's columns or rows (Sun et al. 2018, arXiv 1711.08229), which few
    pictures teach better than a layer that ties every place to every number.
    """
    edges = []
    for pair, along in ((scores[:, :2], 2), (scores[:, 2:], 3)):
        profile = pair.mean(dim=along)
        places = torch.linspace(0, 1, profile.shape[2], device=scores.device)
        lean = torch.stack([-LEAN * places, LEAN * places])
        shares = (profile + lean).softmax(dim=2)
        edges.append((shares * places).sum(dim=2))
    corners = torch.stack(edges, dim=2)  # (N, 2, 2): two corners, x and y
    return torch.cat([corners.amin(dim=1), corners.amax(dim=1)], dim=1)
