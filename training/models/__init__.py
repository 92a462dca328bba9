"""The networks, one a file; registry.py is their table, names.py their names without torch."""
