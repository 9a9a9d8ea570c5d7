"""Named queries from `store/sql/*.sql`: SQL is written as SQL, one sentence above each query.

    -- name: latest_of_patient
    -- The newest measurement of each kind of one patient.
    SELECT …

`queries("measurements")` gives a mapping from name to text. May hold: the reading of these files.
"""

import re
from functools import cache
from importlib import resources
from typing import LiteralString

_HEAD = re.compile(r"^-- name: (\w+)\n((?:--.*\n)*)", re.MULTILINE)


@cache
def queries(file: str) -> dict[str, LiteralString]:
    """The queries of `store/sql/<file>.sql` by name.

    Raises ValueError for a query without the sentence that says what it gives.
    """
    text = resources.files("store").joinpath(f"sql/{file}.sql").read_text(encoding="utf-8")
    heads = list(_HEAD.finditer(text))
    found: dict[str, LiteralString] = {}
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        name, sentence = head.groups()
        if not sentence.strip("- \n"):
            raise ValueError(f"store/sql/{file}.sql: {name} has no sentence above it")
        body = text[head.end() : following.start() if following else len(text)]
        # the files are part of the program, written by us: as literal as a literal
        found[name] = body.strip().rstrip(";")
    return found
