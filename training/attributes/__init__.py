"""Models of attributes: a class for each column of a table, some of them unknown."""
