"""Operators of .onnx files in torch, where torch's own functions differ."""

import pytest
import torch

from training.common.onnx_operators import run

ROW = torch.arange(5.0)


def integers(*values):
    return torch.tensor(values)


@pytest.mark.parametrize(
    ("name", "inputs", "attributes", "expected"),
    [
        ("Slice", [ROW, integers(-1), integers(-9), integers(0), integers(-2)], {}, [4, 2, 0]),
        ("Slice", [ROW, integers(1), integers(2**63 - 1)], {}, [1, 2, 3, 4]),
        ("Gather", [ROW, torch.tensor(-1)], {"axis": 0}, 4),
        ("Reshape", [ROW[None], integers(0, -1)], {"allowzero": 0}, [[0, 1, 2, 3, 4]]),
        ("Div", [integers(7), integers(2)], {}, [3]),
        ("Cast", [torch.tensor(2.5)], {"to": 7}, 2),
        ("Unsqueeze", [torch.tensor(3.0), integers(0, 1)], {}, [[3]]),
        ("Gemm", [ROW[None], torch.ones(1, 5), torch.ones(1)], {"transB": 1}, [[11]]),
        ("Conv", [torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2)],
         {"pads": [0, 0, 1, 1], "strides": [1, 1]}, [[[[4, 2], [2, 1]]]]),
    ],
)  # fmt: skip
def test_values(name, inputs, attributes, expected):
    assert run(name, inputs, attributes)[0].tolist() == expected


@pytest.mark.parametrize(
    ("name", "attributes"),
    [("Einsum", {}), ("Conv", {"auto_pad": b"SAME_UPPER"}), ("MaxPool", {"ceil_mode": 1})],
)
def test_what_published_files_do_not_use_is_refused(name, attributes):
    with pytest.raises(NotImplementedError, match=name):
        run(name, [ROW, ROW], attributes)
