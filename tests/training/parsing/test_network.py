"""The parser's network: its grid, and the parts that do not learn."""

import torch

from preprocessing.images.class_maps import CLASSES
from training.parsing.network import Parser, SoftmaxParser


def test_the_output_is_a_quarter_of_the_input():
    network = Parser(len(CLASSES), 64).eval()
    with torch.inference_mode():
        logits = network(torch.zeros(1, 3, 64, 96, dtype=torch.uint8))
        probabilities = SoftmaxParser(network)(torch.zeros(1, 3, 64, 96, dtype=torch.uint8))
    assert logits.shape == probabilities.shape == (1, 11, 16, 24)
    assert torch.allclose(probabilities.sum(dim=1), torch.ones(1, 16, 24))


def test_the_frozen_stem_and_the_statistics_stay_as_they_are():
    network = Parser(len(CLASSES), 64)
    network.freeze(5)
    network.train()
    before = {name: tensor.clone() for name, tensor in network.backbone.state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    network(torch.full((2, 3, 64, 64), 200, dtype=torch.uint8)).square().mean().backward()
    optimizer.step()
    changed = {name for name, tensor in network.backbone.state_dict().items()
               if not torch.equal(tensor, before[name])}  # fmt: skip
    assert any("_blocks.5." in name for name in changed)
    early = [f"_blocks.{number}." for number in range(5)]
    assert not any(part in name for part in (*early, "_conv_stem", "running") for name in changed)
