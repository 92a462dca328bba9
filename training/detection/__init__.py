"""Detectors: boxes and classes in one step. Only yolo.py knows ultralytics.

What ultralytics reads when it is first imported is set here: it installs, downloads and reports
nothing, and keeps its settings out of the user's folders.
"""

import os
import tempfile
from pathlib import Path

SETTINGS = Path(tempfile.gettempdir()) / "garments-ultralytics"

os.environ.setdefault("YOLO_OFFLINE", "true")
os.environ.setdefault("YOLO_AUTOINSTALL", "false")
os.environ.setdefault("YOLO_VERBOSE", "false")
os.environ.setdefault("YOLO_CONFIG_DIR", str(SETTINGS))
