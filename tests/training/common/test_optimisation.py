"""Learning rates by schedule."""

import pytest
import torch

from training.common.optimisation import SCHEDULES
from training.common.settings import SCHEDULE_NAMES


def test_flags_offer_all_schedules():
    assert tuple(SCHEDULES) == SCHEDULE_NAMES


def rates(name, epochs=8, steps_an_epoch=5):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    made = SCHEDULES[name](optimizer, epochs=epochs, steps=epochs * steps_an_epoch)
    seen = []
    for step in range(epochs * steps_an_epoch):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if made["interval"] == "step":
            made["scheduler"].step()
        elif (step + 1) % steps_an_epoch == 0:
            metric = (1.0,) if "monitor" in made else ()
            made["scheduler"].step(*metric)
    return seen


def test_onecycle_rises_then_falls_every_step():
    seen = rates("onecycle")
    top = seen.index(max(seen))
    assert 3 <= top <= 8 and max(seen) == pytest.approx(0.1)
    assert seen[0] < 0.01 and seen[-1] < 0.001
    assert all(a > b for a, b in zip(seen[top:], seen[top + 1 :], strict=False))


def test_the_other_schedules():
    cosine = rates("cosine")
    assert cosine[0] == 0.1 and cosine[20] == pytest.approx(0.05) and cosine[-1] < 0.001
    step = rates("step")
    assert step[19] == 0.1 and step[20] == pytest.approx(0.01) and step[-1] == pytest.approx(0.001)
    plateau = rates("plateau")
    assert plateau[0] == 0.1 and plateau[-1] == pytest.approx(0.02)
