from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo.launchers.launcher import Chunk
from hpo.launchers.log_file import LIMIT, read_lines, whole_lines


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", b""),
        (b"a", b""),
        (b"a\nb", b"a\n"),
        (b"a\rb", b"a\r"),
        (b"a\n\n", b"a\n\n"),
        (b"a\r\nb\r", b"a\r\nb\r"),
    ],
)
def test_only_whole_lines_come_before_the_end(data: bytes, lines: bytes) -> None:
    assert whole_lines(data, 7, ended=False) == Chunk(lines, str(7 + len(lines)))
    assert whole_lines(data, 7, ended=True) == Chunk(data, str(7 + len(data)))


def test_a_file_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_lines(str(tmp_path / "log"), "5", ended=True) == Chunk(b"", "5")


@pytest.mark.parametrize("separator", [b" ", b",", b"\t", b""])
def test_a_line_beyond_the_limit_is_cut_between_words(tmp_path: Path, separator: bytes) -> None:
    text = (b"x" * 9 + separator) * (2 * LIMIT // 9)
    log = tmp_path / "log"
    log.write_bytes(text)
    first = read_lines(str(log), "", ended=False)
    assert first.more
    assert LIMIT // 2 < len(first.data) <= LIMIT
    assert first.data.endswith(separator)
    second = read_lines(str(log), first.cursor, ended=False)
    assert first.data + second.data == text[: len(first.data) + len(second.data)]


@given(st.lists(st.binary(max_size=20), max_size=20), st.integers(0, 3))
def test_reading_while_it_grows_gives_what_was_written(pieces: list[bytes], newline_every: int) -> None:
    written, read, cursor = b"", b"", ""
    for number, piece in enumerate(pieces):
        written += piece + (b"\n" if newline_every and number % newline_every == 0 else b"")
        chunk = whole_lines(written[int(cursor or 0) :], int(cursor or 0), ended=False)
        assert chunk.data == b"" or chunk.data.endswith((b"\n", b"\r"))
        read, cursor = read + chunk.data, chunk.cursor
    chunk = whole_lines(written[int(cursor or 0) :], int(cursor or 0), ended=True)
    assert read + chunk.data == written
