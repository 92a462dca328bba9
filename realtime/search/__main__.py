"""`python -m realtime.search DIR "red hoodie, blue jeans"`: what was seen, when and where."""

import sys
from realtime.search.query import read_query
from realtime.search.ranking import find
from realtime.search.reader import Reader
from pathlib import Path

def main(argv=None):
    r=Reader(Path(sys.argv[1])); q=read_query(sys.argv[2], taught=r.leaves())
    print(q.notes,q.unknown)
    for x in find(r,q): print(x.sure,x.camera,x.person,x.spans,x.reasons)
main()
