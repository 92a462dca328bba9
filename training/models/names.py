"""Names of the networks, for flags and their help. Imports no torch, unlike the networks."""

BACKBONES = (
    "efficientnet-lite0",
    "efficientnet-lite2",
    *(f"efficientnet-b{n}" for n in range(8)),
    "vgg16",
    "vgg19",
    "resnet18",
    "resnet34",
    "resnet50",
    "inception-v3",
)
NETWORKS = ("baseline", "deep", *BACKBONES)
