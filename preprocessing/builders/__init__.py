"""Commands that build data sets, and the clip of --demo."""
