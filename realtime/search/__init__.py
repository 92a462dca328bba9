"""Search by clothing: an index of what was seen, queries in words, search by example."""
