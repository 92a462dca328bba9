"""Takes away what only Linux has, then runs run_realtime.py: a stand-in for other systems.

`python tests/other_system.py ARGUMENTS`. Signals, functions and modules of POSIX are gone, and so
are /proc, /dev and /sys for Python code. The encoding of the console is a code page of Windows.
"""

import builtins
import importlib.abc
import io
import os
import select
import signal
import sys
from pathlib import Path

MODULES = ("resource", "fcntl", "termios", "tty", "pty", "pwd", "grp", "syslog")
SIGNALS = ("SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGALRM", "SIGPIPE", "SIGKILL", "SIGCHLD")
FUNCTIONS = {
    os: ("sched_getaffinity", "fork", "mkfifo", "mknod", "getuid", "geteuid", "getloadavg",
         "statvfs", "setsid", "killpg", "wait4", "getpgid", "nice", "chown"),
    select: ("poll", "epoll"),
}  # fmt: skip
FOLDERS = ("/proc", "/dev", "/sys")
OPENING = {
    builtins: ("open",),
    io: ("open",),
    os: ("open", "stat", "lstat", "listdir", "scandir", "access", "readlink"),
}
ALLOWED = (os.devnull,)  # every system has it, under this name


class Missing(importlib.abc.MetaPathFinder):
    """Finds none of MODULES."""

    def find_spec(self, name, path=None, target=None):
        if name in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def without_folders(function):
    """The function, for which FOLDERS are not there."""

    def checked(path, *rest, **more):
        if isinstance(path, (str, bytes, os.PathLike)):
            text = os.fsdecode(path)
            if text not in ALLOWED and text.startswith(FOLDERS):
                raise FileNotFoundError(2, "No such file or directory", text)
        return function(path, *rest, **more)

    return checked


def take_away() -> None:
    """Remove the names, before anything else is imported."""
    sys.meta_path.insert(0, Missing())
    for name in MODULES:
        sys.modules.pop(name, None)
    for name in SIGNALS:
        delattr(signal, name)
    for module, names in FUNCTIONS.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    for module, names in OPENING.items():
        for name in names:
            setattr(module, name, without_folders(getattr(module, name)))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="cp1252", errors="strict")


if __name__ == "__main__":
    root = Path(__file__).resolve().parent.parent
    sys.path.insert(0, str(root))
    take_away()
    from realtime.cli import main

    sys.exit(main())
