"""Worker processes that do not inherit threads: a fork of OpenCV's thread pool can deadlock."""

import multiprocessing
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
