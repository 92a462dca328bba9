"""Commands that build a data set; the clip of `--demo` too."""
