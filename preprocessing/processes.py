"""Processes: workers that do not inherit threads, and the memory that one has used.

A fork of OpenCV's thread pool can deadlock.
"""

import ctypes
import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

# Imported once, by the server from which workers are forked.
PRELOADED = ["cv2", "numpy", "PIL.Image"]


def clean_context() -> multiprocessing.context.BaseContext:
    """Processes forked from a server without threads, or spawned where there is no fork server."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def process_pool(start: Callable[..., None] | None = None, *given: Any) -> ProcessPoolExecutor:
    """A pool with one process per core, each of which first calls `start` with what is given."""
    context = clean_context()
    if start is None:
        return ProcessPoolExecutor(mp_context=context)
    return ProcessPoolExecutor(mp_context=context, initializer=start, initargs=given)


def peak_memory() -> float:
    """Return the highest resident memory of this process so far in MB."""
    try:
        import resource
    except ImportError:  # Windows
        return _peak_working_set() / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)  # bytes there, kilobytes here


class _MemoryCounters(ctypes.Structure):
    """PROCESS_MEMORY_COUNTERS of the Windows API (psapi.h)."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("page_faults", ctypes.c_uint32),
        *((name, ctypes.c_size_t) for name in (
            "peak_working_set", "working_set", "peak_paged_pool", "paged_pool",
            "peak_nonpaged_pool", "nonpaged_pool", "pagefile", "peak_pagefile")),
    )  # fmt: skip


def _peak_working_set() -> int:
    """Bytes; 0 where Windows does not say."""
    libraries = getattr(ctypes, "windll", None)
    if libraries is None:
        return 0
    kernel = libraries.kernel32
    counters = _MemoryCounters(size=ctypes.sizeof(_MemoryCounters))
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    process = ctypes.c_void_p(kernel.GetCurrentProcess())
    kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.size)
    return int(counters.peak_working_set)
