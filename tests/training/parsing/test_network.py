"""The parser's network: its grid, its outputs, and the parts that do not learn."""

import pytest
import torch

from training.parsing.network import OUTPUTS, Parser, SoftmaxParser, with_other_person


@pytest.mark.parametrize("name", ["parser-lite0", "parser-lite2"])
def test_the_output_is_a_quarter_of_the_input(name):
    network = Parser(name, size=64).eval()
    images = torch.zeros(1, 3, 64, 96, dtype=torch.uint8)
    with torch.inference_mode():
        logits, probabilities = network(images), SoftmaxParser(network)(images)
    assert logits.shape == (1, OUTPUTS, 16, 24)
    assert probabilities.shape == (1, OUTPUTS - 1, 16, 24)
    assert torch.allclose(probabilities.sum(dim=1), torch.ones(1, 16, 24))
    other = logits.softmax(dim=1)[:, -1]
    assert torch.allclose(probabilities[:, 0], logits.softmax(dim=1)[:, 0] + other)


def test_an_older_parser_starts_with_other_people_as_its_person():
    older, newer = Parser("parser-lite0", outputs=11, size=64), Parser("parser-lite0", size=64)
    newer.register_load_state_dict_pre_hook(with_other_person)
    newer.load_state_dict(older.state_dict())
    assert torch.equal(newer.head.weight[:11], older.head.weight)
    assert torch.equal(newer.head.bias[11], older.head.bias[1])
    again = Parser("parser-lite0", size=64)
    again.register_load_state_dict_pre_hook(with_other_person)
    again.load_state_dict(newer.state_dict())
    assert torch.equal(again.head.weight, newer.head.weight)


def test_the_statistics_stay_as_they_are():
    network = Parser("parser-lite0", size=64).train()
    before = {name: tensor.clone() for name, tensor in network.backbone.state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    network(torch.full((2, 3, 64, 64), 200, dtype=torch.uint8)).square().mean().backward()
    optimizer.step()
    changed = {name for name, tensor in network.backbone.state_dict().items()
               if not torch.equal(tensor, before[name])}  # fmt: skip
    assert any("_blocks.5." in name for name in changed)
    assert not any("running" in name for name in changed)
