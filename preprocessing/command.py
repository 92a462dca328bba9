"""Start and end of a command: its arguments, its exit status, one line on stderr for an error."""

import argparse
import difflib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from preprocessing.errors import DeviceError, GarmentError, UsageError, is_out_of_memory

DATA_STATUS = (
    "exit status: 0 done, 2 wrong flag, 5 output cannot be written, 8 data set missing or damaged"
)


class Arguments(argparse.ArgumentParser):
    """Arguments whose errors are one line, which proposes the nearest flag for an unknown one.

    Flags are not abbreviated, and positional arguments may stand anywhere between them.

    Args:
        hints: unknown flags that people try, and what to give instead.
    """

    def __init__(
        self,
        *,
        prog: str,
        description: str,
        epilog: str | None = None,
        usage: str | None = None,
        hints: Mapping[str, str] | None = None,
    ):
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            usage=usage,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self._hints = hints or {}

    def parse(self, argv: Sequence[str] | None = None) -> argparse.Namespace:
        """Return the values of all arguments; exit with status 2 if one is wrong."""
        values, unknown = self.parse_known_intermixed_args(argv)
        if unknown:
            self.error(self._unknown(unknown[0].partition("=")[0]))
        return values

    def error(self, message: str) -> NoReturn:
        """Exit with one line on stderr."""
        self.exit(UsageError.status, f"error: {message} (flags: {self.prog} --help)\n")

    def _unknown(self, flag: str) -> str:
        shown = (a.option_strings for a in self._actions if a.help != argparse.SUPPRESS)
        known = [name for names in shown for name in names]
        nearest = self._hints.get(flag) or next(iter(difflib.get_close_matches(flag, known)), "")
        return f"unknown flag {flag}" + (f": did you mean `{nearest}`?" if nearest else "")


def data_arguments(module: str, description: str, *, example: str) -> Arguments:
    """Arguments of a command that reads or writes data sets.

    Args:
        module: of the command, by its dotted name.
        example: arguments that are shown after the flags.
    """
    prog = f"python -m {module}"
    epilog = f"example:\n  {prog} {example}\n\n{DATA_STATUS}"
    return Arguments(prog=prog, description=description, epilog=epilog)


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
