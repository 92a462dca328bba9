"""Worker processes that start clean: a fork of a process with OpenCV's threads can hang forever."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

# Imported once, by the server that workers are forked from.
PRELOADED = ["cv2", "numpy", "PIL.Image"]


def clean_context() -> multiprocessing.context.BaseContext:
    """Processes forked from a server without threads; spawned where there is no such thing."""
    kinds = multiprocessing.get_all_start_methods()
    if "forkserver" not in kinds:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def process_pool() -> ProcessPoolExecutor:
    """A pool with a process a core."""
    return ProcessPoolExecutor(mp_context=clean_context())
