"""Explanations: which parts of an image speak for a class (Grad-CAM, arXiv 1610.02391)."""

import numpy as np
import torch
from captum.attr import LayerAttribution, LayerGradCam
from torch import nn


def grad_cam(network: nn.Module, image: np.ndarray, *, label: int) -> np.ndarray:
    """Heat map float32 (S, S) of 0 to 1: evidence for a class in the image uint8 (C, S, S)."""
    network = network.eval()
    layer = [m for m in network.modules() if isinstance(m, nn.Conv2d)][-1]
    batch = torch.from_numpy(image)[None].float().requires_grad_()
    heat = LayerGradCam(network, layer).attribute(batch, target=label, relu_attributions=True)
    heat = LayerAttribution.interpolate(heat, image.shape[-2:], "bilinear")
    heat = heat.detach()[0, 0].clamp(min=0)
    return (heat / heat.max().clamp(min=1e-9)).numpy()
