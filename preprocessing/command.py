"""How every command ends: its own status, or one line on stderr and the error's status."""

import sys
from collections.abc import Callable

from preprocessing.errors import DeviceError, GarmentError, is_out_of_memory


def exit_status(command: Callable[[], int]) -> int:
    """Run a command; the status that its process should exit with (see errors.py)."""
    try:
        return command()
    except GarmentError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.status
    except (MemoryError, ImportError, OSError) as error:
        if not is_out_of_memory(error):
            raise
        print("error: not enough memory: close other programs, or ask for less at once",
              file=sys.stderr)  # fmt: skip
        return DeviceError.status
