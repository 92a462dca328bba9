"""Worker processes that do not inherit threads: a fork of OpenCV's thread pool can deadlock."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

# Imported once, by the server from which workers are forked.
PRELOADED = ["cv2", "numpy", "PIL.Image"]


def clean_context() -> multiprocessing.context.BaseContext:
    """Processes forked from a server without threads, or spawned where there is no fork server."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def process_pool() -> ProcessPoolExecutor:
    """A pool with one process per core."""
    return ProcessPoolExecutor(mp_context=clean_context())
