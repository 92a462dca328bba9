"""The live app and its library. A frame passes from sources/ through analysis/ to sinks/ or page/.

cli.py turns flags into settings; library/ turns settings into an analysis, and runs it.

>>> from realtime import Recogniser  # loads nothing heavy before it is called
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from preprocessing.errors import GarmentError as GarmentError
    from realtime.library.garments import Garments as Garments
    from realtime.library.recogniser import Recogniser as Recogniser

__version__ = "1.0.0"
__all__ = ["GarmentError", "Garments", "Recogniser"]
_PLACES = {
    "GarmentError": "preprocessing.errors",
    "Garments": "realtime.library.garments",
    "Recogniser": "realtime.library.recogniser",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
