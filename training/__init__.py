"""Everything that makes, evaluates or publishes a weight file."""
