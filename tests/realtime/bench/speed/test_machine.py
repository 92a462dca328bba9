"""The machine's description."""

from realtime.bench.speed.machine import read_cpu, this_machine

CPU_INFO = """processor\t: 0
model name\t: Intel(R) Xeon(R) Platinum
flags\t\t: fpu avx2 avx512f avx512_vnni amx_bf16 amx_tile amx_int8
"""


def test_units_are_those_of_the_flags():
    name, units = read_cpu(CPU_INFO)
    assert name == "Intel(R) Xeon(R) Platinum"
    assert units == ("AVX2", "AVX-512", "AVX-512 VNNI", "AMX bf16", "AMX INT8")
    assert read_cpu("") == ("", ())


def test_this_machine_has_versions():
    machine = this_machine()
    assert machine.cores >= 1 and machine.versions["numpy"] != "not installed"
    assert set(machine.lacks).isdisjoint(machine.units)
