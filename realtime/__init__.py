"""The live app. A frame passes from sources/ through analysis/ to sinks/ or page/, by runtime/.

cli.py turns flags into settings, assemble.py settings into an analysis, and pipeline.py runs it.
"""

__version__ = "1.0.0"
