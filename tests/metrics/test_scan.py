"""What is read from a log, and what is not."""

from __future__ import annotations

import math

import pytest

from hpo.metrics.scan import clean, compile_metrics, count_lines


def read(data: bytes, **metrics: str) -> list[tuple[str, float]]:
    return [(match.metric, match.value) for match in compile_metrics(metrics).scan(data).matches]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"0.97", 0.97),
        (b"4.2e-05", 4.2e-05),
        (b"1E5", 1e5),
        (b"-.5", -0.5),
        (b"1.", 1.0),
        (b"+3", 3.0),
        (b"inf", math.inf),
        (b"-Infinity", -math.inf),
        (b"0.1234567890123456789", 0.1234567890123456789),
        (b"9007199254740993", 9007199254740993.0),
    ],
)
def test_numbers_are_read_exactly(text: bytes, value: float) -> None:
    assert read(b"f1: " + text + b"\n", f1=r"f1: (\S+)") == [("f1", value)]


def test_nan_is_a_value() -> None:
    ((_, value),) = read(b"loss=nan\n", loss=r"loss=(\S+)")
    assert math.isnan(value)


@pytest.mark.parametrize("text", ["0.97.", "0.97,", "97%", "(0.97)", "0x10", "none", "\u22120.5"])
def test_a_capture_that_is_no_number_is_not_guessed_at(text: str) -> None:
    scan = compile_metrics({"f1": r"f1: (\S+)"}).scan(f"epoch 1 f1: {text} done\n".encode())
    assert scan.matches == ()


def test_blanks_around_a_number_do_not_matter() -> None:
    assert read(b"f1:  0.5 ;\n", f1=r"f1:(.*?);") == [("f1", 0.5)]


@pytest.mark.parametrize(
    ("data", "lines", "values"),
    [
        (b"", 0, []),
        (b"\n", 1, []),
        (b"f1: 1", 1, [1]),
        (b"f1: 1\nf1: 2\n", 2, [1, 2]),
        (b"f1: 1\r\nf1: 2\r\n", 2, [1, 2]),
        (b"\r 10% f1: 1\r 20% f1: 2\r 30% f1: 3", 4, [1, 2, 3]),
        (b"f1: 1\r\r\nf1: 2", 3, [1, 2]),
        (b"f1: 1 f1: 2\n", 1, [1, 2]),
        (b"f1: \n1\n", 2, []),
    ],
)
def test_lines_end_with_newlines_and_carriage_returns(data: bytes, lines: int, values: list[float]) -> None:
    scan = compile_metrics({"f1": r"f1: ([0-9])"}).scan(data)
    assert count_lines(clean(data)) == lines
    assert [match.value for match in scan.matches] == values


@pytest.mark.parametrize(
    "line",
    [
        b"\x1b[1;32mf1\x1b[0m: \x1b[38;5;9m0.5\x1b[0m",
        b"\x1b[2K\x1b[1Gf1: 0.5\x1b[?25h",
        b"\x1b]0;a title\x07f1: 0.5",
        b"\x1b]8;;http://x\x1b\\f1: \x1b]8;;\x1b\\0.5",
        b"\x1b(Bf1: 0.5\x1b7",
        b"\xff\xfe f1: 0.5 \xc3",
        "é: ▇▇▇ f1: 0.5".encode(),
        b"\x00f1: 0.5 \x00",
    ],
)
def test_terminal_sequences_and_bad_bytes_do_not_hide_a_value(line: bytes) -> None:
    assert read(line + b"\n", f1=r"f1: (\S+)") == [("f1", 0.5)]


def test_bytes_that_are_no_utf8_are_one_replacement_character_to_a_pattern() -> None:
    assert read(b"a\xffb=1\n", x=r"^a.b=(\d)$", y="a\ufffdb=(\\d)") == [("x", 1), ("y", 1)]


@pytest.mark.parametrize("tab", [b"\t", b"#011"])
def test_a_tab_is_matched_in_both_its_forms(tab: bytes) -> None:
    line = tab.join([b"[10]", b"train-auc:0.9", b"validation-auc:0.7\n"])
    assert read(line, auc=r".*\[[0-9]+\].*#011validation-auc:(\S+)") == [("auc", 0.7)]


def test_matches_come_in_the_order_of_the_log() -> None:
    log = b"b=1 a=2\na=3 b=4\nb=5\n"
    expected = [("b", 1), ("a", 2), ("a", 3), ("twin", 3), ("b", 4), ("b", 5)]
    found = read(log, a=r"a=(\d)", b=r"b=(\d)", twin=r"^a=(\d)")
    assert found == expected


def test_a_group_that_takes_no_part_in_a_match_gives_nothing() -> None:
    scan = compile_metrics({"f1": r"f1 (?:is (\d)|unknown)"}).scan(b"f1 unknown\nf1 is 3\n")
    assert [match.value for match in scan.matches] == [3]


@pytest.mark.parametrize(
    "regex",
    [
        r"\Ax=(\d)\z",
        r"(?-m)^x=(\d)$",
        r"(?i-m:^X=(\d)$)",
        r"(?-sm)^x=(\d)$",
        r"(?s).*x=(\d).*",
        r"^x=(\d+)\b",
    ],
)
def test_anchors_and_flags_hold_for_each_line(regex: str) -> None:
    assert read(b"y\nx=1\nyx=2\nx=3y\nx=4", x=regex)[0] == ("x", 1)
    assert read(b"y\nx=1\nyx=2\nx=3y\nx=4", x=regex)[-1] == ("x", 4)


@pytest.mark.parametrize(
    "regex", [r"x=([^,]*)", r"x=(\s*\S+\s+)", r"x=([[:^alpha:]]*)", r"x=(\D+)", r"(?s)x=(.+)"]
)
def test_nothing_matches_beyond_its_line(regex: str) -> None:
    scan = compile_metrics({"x": regex}).scan(b"x= \n1\n")
    assert scan.matches == ()


def test_a_value_at_the_end_of_a_long_line_is_read() -> None:
    assert read(b"a" * 1_000_000 + b" f1: 0.5\n", f1=r"f1: (\S+)") == [("f1", 0.5)]


def test_a_line_of_very_many_matches_gives_them_all() -> None:
    line = b" ".join(b"f1: 0.%d" % n for n in range(20_000))
    values = [value for _, value in read(b"f1: 7\n" + line + b"\nf1: 8\n", f1=r"f1: (\S+)")]
    assert values == [7, *(float(f"0.{n}") for n in range(20_000)), 8]


def test_far_apart_and_long_matches_on_a_crowded_line_are_found() -> None:
    line = b"x=1 " * 200 + b"-" * 10_000 + b"x=" + b"0" * 5_000 + b"2"
    values = [value for _, value in read(line, x=r"x=(\d+)")]
    assert values == [1.0] * 200 + [2.0]


@pytest.mark.parametrize(
    ("regex", "log"),
    [
        (r"((?:a+)+)$", b"a" * 1_000_000 + b"b\n"),
        (r"(?:a+)+(b)$", b"a" * 1_000_000),
        (r"(?:a|a)*(b)$", b"a" * 1_000_000),
        (r".*validation.*accuracy=([0-9.]+).*$", (b"a" * 10_000 + b"\n") * 100),
        (r".*validation.*accuracy=([0-9.]+).*$", b"validation accuracy= " * 50_000),
        (r"x=(\d)(?:.*end)?", b"x=1 " * 250_000),
        (r"x=(\d)(?:.*end)?", (b"x=1 " * 2_000 + b"\n") * 125),
        (r"(?:(?:a?){30}){33}b(\d)", b"a" * 1_000_000),
    ],
)
def test_no_pattern_and_no_line_takes_more_than_linear_time(regex: str, log: bytes) -> None:
    scan = compile_metrics({"m": regex}).scan(log)  # in more than linear time this does not end
    assert {match.value for match in scan.matches} <= {1.0}
