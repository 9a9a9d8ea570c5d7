"""A CSV file as it lies there: where its header is, and its rows with their line numbers.

Exports begin with a title line, settings or nothing; they are parted by comma, semicolon or tab,
in UTF-8, UTF-16 or GB 18030. May hold: this. May not: what a column means (`layout.py`).
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vitals.errors import MendData

# lines in which a header is looked for: title lines of known exports are one or two
_HEADER_WITHIN = 40
_DELIMITERS = ",;\t"

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """`header` (stripped) at `header_line`, 0 where the file has none; what stands above is title.

    `rows` are (line, cells); `delimiter` tells how decimals may be written.
    """

    name: str
    header: Cells
    header_line: int
    rows: tuple[tuple[int, Cells], ...]
    delimiter: str

    def column(self, header: str) -> int:
        """The place of a column. Raises MendData, naming those that there are."""
        if header in self.header:
            return self.header.index(header)
        raise MendData(f"{self.name} has no column {header!r}; it has: {', '.join(self.header)}.")


def lines_of(content: bytes, name: str) -> tuple[list[tuple[int, Cells]], str]:
    """The rows of a file with their line numbers, and its delimiter. Raises MendData."""
    text = _text(content, name)
    delimiter = _delimiter(text)
    try:
        return list(_rows(text, delimiter)), delimiter
    except csv.Error as error:
        raise MendData(f"{name} is no CSV file: {error}.") from error


def sheet_of(content: bytes, name: str, is_header: Callable[[Cells], bool]) -> Sheet:
    """The sheet under the first line that is a header; without one, the first line is taken."""
    lines, delimiter = lines_of(content, name)
    if not lines:
        raise MendData(f"{name} is empty.")
    place = next((n for n, (_, cells) in enumerate(lines[:_HEADER_WITHIN]) if is_header(cells)), 0)
    line, header = lines[place]
    return Sheet(
        name=name,
        header=header,
        header_line=line,
        rows=tuple(lines[place + 1 :]),
        delimiter=delimiter,
    )


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, Cells]]:
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    for cells in reader:
        stripped = tuple(cell.strip() for cell in cells)
        if any(stripped):
            yield reader.line_num, stripped


def _text(content: bytes, name: str) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise MendData(f"{name} is neither UTF-8 nor GB 18030 text; save it as CSV UTF-8.")


def _delimiter(text: str) -> str:
    head = text.splitlines()[:_HEADER_WITHIN]
    counts = {each: sum(line.count(each) for line in head) for each in _DELIMITERS}
    # a decimal comma makes many commas: the rarer mark wins where every line has it
    for each in "\t;":
        if counts[each] >= len(head) > 0:
            return each
    return ","
