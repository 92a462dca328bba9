"""Parts of results of a bench that never ran."""

from realtime.bench.speed.machine import Machine
from realtime.bench.speed.results import Key, Run

MACHINE = Machine(
    cpu="Test <CPU>", units=("AVX2",), cores=2, memory_gb=16.0, gpu="", system="Linux",
    versions={"this app": "1.0", "openvino": "2026"}, commit="abc1234",
)  # fmt: skip


def run(group: str, series: str, x: int = 0, *, number: int = 0, **given) -> Run:
    values = {"frames": 100, "seconds": 5.0, "cpu": 8.0, "memory": 300.0, "size": 2_000_000,
              "command": "python run_realtime.py --video clip.mp4"}  # fmt: skip
    return Run(key=Key(group, series, x), round=number, **{**values, **given})
