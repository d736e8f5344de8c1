"""Scanning all lines at once finds what trying the pattern on each line finds."""

from __future__ import annotations

import re

import re2
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hpo.core.trial import Match
from hpo.metrics.regex import pattern_problem
from hpo.metrics.scan import clean, compile_metrics, count_lines

PIECES = st.sampled_from(
    [
        *[b"\n", b"\n", b"\r", b"\r\n", b" ", b" \t", b"#011", b"\x00"],
        *[b"f1: 0.5", b"F1=4.2e-05", b"a=1", b"b", b"acc", b",", b"7", b"0.97.", b"nan", b"-", b"x" * 40],
        *[b"\x1b[31m", b"\x1b[0K", b"\x1b]0;t\x07", b"\xff", b"\xc3", "é".encode(), "▇".encode()],
    ]
)
LOGS = st.lists(PIECES, max_size=40).map(b"".join)

NASTY = r"""
f1: (\S+)
([^,]*),
a([^,]+)
(\s+)
\s(\S+)\s
^(\S+)
(\S+)$
^(.+)$
(\d)
\b(\w+)
\B(\w)
\b(x*)
(?s)a(.+)
(?s)(.+)b
(?i)f1\W+(\S+)
(?:a|a=)(\d|x*)
x*(7?)b
\A(\S)
(\S)\z
(?-m)^(\d)
(?i-ms:(\w)$)
(\D+)
(\W+)7
([[:space:]]+)
([[:^digit:]]+)
(\PN+)
(\pL)
#011(\d)
[#011]+(\d)
\Q#011\E(\d)
(?U)a(.+)1
(.)x{3,5}
.*(\d)
.*?(\d).*
(?:.*,)?(\d)
(?m)^(\w+)$
$(x)|(?:^a=1)
(?:^|,)([^,]+)(?:$|,)
[^a]([^\d]{2})
(é|▇)
(\x{e9})
(?i)A(.)
(\x{fffd})
(\x00)
f1(?:: (\S+)|=)
""".strip().splitlines()
FRAGMENTS = st.sampled_from(
    [
        "a",
        "=",
        " ",
        r"\s*",
        r"\s+",
        ".",
        ".*",
        ".*?",
        "[^,]*",
        "x+",
        "^",
        "$",
        r"\b",
        r"\B",
        r"\d",
        "(?:a|=)?",
        "#011",
    ]
)
COMPOSED = st.builds(
    lambda flags, before, group, after: f"{flags}{''.join(before)}({''.join(group)}){''.join(after)}",
    st.sampled_from(["", "(?i)", "(?s)", "(?-m)", "(?U)"]),
    st.lists(FRAGMENTS, max_size=3),
    st.lists(FRAGMENTS, min_size=1, max_size=2),
    st.lists(FRAGMENTS, max_size=2),
)
PATTERNS = st.one_of(st.sampled_from(NASTY), COMPOSED).filter(lambda regex: not pattern_problem(regex))


def lines_of(data: bytes) -> list[bytes]:
    lines = re.split(rb"\r\n|\r|\n", data)
    plain = [re.sub(rb"\x1b\[[0-9]*[mK]|\x1b\]0;t\x07", b"", line) for line in lines]
    return [line.decode(errors="replace").encode() for line in (plain if plain[-1] else plain[:-1])]


def naive(line: bytes, metrics: dict[str, str]) -> list[tuple[str, bytes]]:
    """Try each pattern on a line that stands alone."""
    found = [
        (hit.start(1), order, name, hit.group(1))
        for order, (name, regex) in enumerate(metrics.items())
        for hit in re2.finditer(re.sub(r"(?<![Q[])#011", r"(?:\\t|#011)", regex), line)
        if hit.group(0) and hit.group(1) is not None
    ]
    return [(name, text) for _, _, name, text in sorted(found)]


def value_of(text: bytes) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


@settings(max_examples=600)
@given(LOGS, st.lists(PATTERNS, min_size=1, max_size=3))
def test_a_scan_equals_trying_every_pattern_on_every_line(data: bytes, patterns: list[str]) -> None:
    metrics = {f"m{i}": regex for i, regex in enumerate(patterns)}
    lines = lines_of(data)
    found = [naive(line, metrics) for line in lines]
    assume(all(len(each) <= 100 for each in found))

    scan = compile_metrics(metrics).scan(data)

    assert count_lines(clean(data)) == len(lines)
    expected = [(name, value_of(text)) for each in found for name, text in each]
    assert repr(scan.matches) == repr(tuple(Match(n, value) for n, value in expected if value is not None))


@settings(max_examples=200)
@given(st.lists(LOGS.map(lambda log: log + b"\n"), max_size=4), PATTERNS)
def test_a_log_in_pieces_gives_what_it_gives_as_a_whole(pieces: list[bytes], regex: str) -> None:
    scanner = compile_metrics({"m": regex})
    scans = [scanner.scan(piece) for piece in pieces]
    whole = scanner.scan(b"".join(pieces))
    assert repr(whole.matches) == repr(tuple(match for scan in scans for match in scan.matches))
