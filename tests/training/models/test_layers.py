"""Heads of networks."""

import torch

from training.models.layers import BilinearPool


def test_the_bilinear_pool_is_the_signed_root_of_the_outer_product():
    pool = BilinearPool(3).eval()
    maps = torch.randn(2, 3, 4, 5)
    reduced = pool.reduce(maps).flatten(2).double()
    outer = torch.einsum("nip,njp->nij", reduced, reduced).flatten(1) / 20
    expected = torch.nn.functional.normalize(outer.sign() * outer.abs().sqrt())
    assert torch.allclose(pool(maps).double(), expected, atol=2e-3)
