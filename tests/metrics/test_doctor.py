"""What the metric doctor says of a log."""

from __future__ import annotations

import io
import json
import math
import os
import threading
from pathlib import Path

import pytest

from hpo.errors import SpecError
from hpo.metrics.diagnosis import Diagnosis, MetricDiagnosis
from hpo.metrics.doctor import diagnose
from hpo.metrics.regex import pattern_warnings
from hpo.metrics.scan import compile_metrics

METRIC = "validation:f1"


def look(log: str | bytes, regex: str = r"f1: (\S+)", metric: str = METRIC) -> Diagnosis:
    data = log.encode() if isinstance(log, str) else log
    return diagnose(io.BytesIO(data), {metric: regex}, metric)


def only(diagnosis: Diagnosis) -> MetricDiagnosis:
    (metric,) = diagnosis.metrics
    return metric


@pytest.mark.parametrize(
    ("line", "regex", "suggested", "value"),
    [
        ("epoch 3 - val_f1 = 0.93", r"f1: (\S+)", r"val_f1 = (\S+)", 0.93),
        ("F1: 0.93", r"f1: (\S+)", r"F1: (\S+)", 0.93),
        ("f1:    0.93", r"f1: (\S+)", r"f1:\s+(\S+)", 0.93),
        ("f1:\t0.93", r"f1: (\S+)", r"f1:\s+(\S+)", 0.93),
        ("val f1 4.2e-05", r"f1: (\S+)", r"val f1 (\S+)", 4.2e-05),
        ("train_f1=0.99 val_f1=0.93", r"f1: (\S+)", r"val_f1=(\S+)", 0.93),
        ("val_f1=0.93 best_val_f1=0.99", r"validation-f1: (\S+)", r"\bval_f1=(\S+)", 0.93),
        ("validF1=0.93", r"f1: (\S+)", r"validF1=(\S+)", 0.93),
        ("[10]\ttrain-f1:0.99\tvalidation-f1:0.93", r"val_f1:(\S+)", r"validation-f1:(\S+)", 0.93),
        ('{"epoch": 3, "val_f1": 0.93, "loss": 1}', r"f1: (\S+)", r'val_f1": ([^\s,;]+)', 0.93),
        ('{"loss": 1, "f1": 0.93}', r"f1: (\S+)", r'f1": ([^\s,;)\]}%]+)', 0.93),
        ("| f1 | 0.93 |", r"f1: (\S+)", r"f1 \| (\S+)", 0.93),
        ("f1@10: 0.3", r"f1: (\S+)", r"f1@\d+: (\S+)", 0.3),
        (
            "f1 (macro) is 0.93.",
            r"f1: (\S+)",
            r"f1 \(macro\) is ([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)",
            0.93,
        ),
        ("f1: 0.93, loss: 3", r"f1: (\S+)", r"f1: ([^\s,;]+)", 0.93),
        ("f1: 93%", r"f1: (\S+)", r"f1: ([^\s,;)\]}%]+)", 93.0),
        ("f1: -0.93", r"f1: ([0-9.]+)", r"f1: (\S+)", -0.93),
        ("f1:  0.93", r"f1:s+(\S+)", r"f1:\s+(\S+)", 0.93),
        ("f1: 0.93", r"f1: (\\S+)", r"f1: (\S+)", 0.93),
        ("f1 score: 0.93", r"f1_scoer: (\S+)", r"f1 score: (\S+)", 0.93),
    ],
)
def test_a_suggested_pattern_reads_the_metric(line: str, regex: str, suggested: str, value: float) -> None:
    log = f"starting with lr 0.1 and 12 threads\n{line}\n{line}\ndone in 3 s\n"
    metric = only(look(log, regex))
    assert metric.suggestion is not None
    assert metric.suggestion.regex == suggested
    assert (metric.suggestion.count, metric.suggestion.last) == (2, value)
    scan = compile_metrics({METRIC: metric.suggestion.regex}).scan(log.encode())
    assert [match.value for match in scan.matches] == [value, value]


def test_the_summary_counts_the_lines_shows_the_closest_and_says_what_to_try() -> None:
    log = "".join(f"epoch {n} loss 0.5\nepoch {n} - val_f1 = 0.{n}\n" for n in range(602))
    assert look(log).summary().splitlines() == [
        r"0 matches in 1,204 lines for `f1: (\S+)` (validation:f1)",
        "the closest is line 1,204: epoch 601 - val_f1 = 0.601",
        r"try: 'val_f1 = (\S+)' (it reads 602 numbers here, the last is 0.601)",
    ]


def test_the_summary_shows_what_was_captured_instead_of_a_number() -> None:
    assert look("f1: 0.97.\n" * 40).summary().splitlines()[0] == (
        r"no number in 40 lines for `f1: (\S+)` (validation:f1): it matches 40 times, but captures `0.97.`"
    )


def test_the_summary_shows_the_last_line_where_none_comes_close() -> None:
    assert look("hello 1\nall 7 tests skipped\n\n").summary().splitlines() == [
        r"0 matches in 3 lines for `f1: (\S+)` (validation:f1)",
        "no line comes close; the last is line 2: all 7 tests skipped",
    ]


def test_an_empty_log_has_its_own_words() -> None:
    diagnosis = look("")
    assert diagnosis.lines == 0
    assert "nothing was printed" in diagnosis.summary()
    assert diagnosis.text() == diagnosis.summary()


def test_a_log_of_blank_lines_has_no_last_line_to_show() -> None:
    assert look("\n\n").summary() == r"0 matches in 2 lines for `f1: (\S+)` (validation:f1)"


def test_the_text_shows_what_matched_and_what_did_not() -> None:
    log = "".join(f"epoch {n} f1: 0.{n}\nf1: x{n}\n" for n in range(8)) + "val loss is 3\n"
    diagnosis = diagnose(io.BytesIO(log.encode()), {"f1": r"f1: (\S+)", "val:loss": r"loss=([0-9.]+)"}, "f1")
    assert diagnosis.text().splitlines() == [
        r"8 matches in 17 lines for `f1: (\S+)` (f1); the last is 0.7",
        "  line 1: epoch 0 f1: 0.0 → 0.0",
        "  line 3: epoch 1 f1: 0.1 → 0.1",
        "  line 5: epoch 2 f1: 0.2 → 0.2",
        "  line 11: epoch 5 f1: 0.5 → 0.5",
        "  line 13: epoch 6 f1: 0.6 → 0.6",
        "  line 15: epoch 7 f1: 0.7 → 0.7",
        "  line 2: f1: x0 → x0 (no number)",
        "  line 4: f1: x1 → x1 (no number)",
        "  line 6: f1: x2 → x2 (no number)",
        "",
        r"0 matches in 17 lines for `loss=([0-9.]+)` (val:loss)",
        "  the closest lines:",
        "    line 17: val loss is 3",
        f"  warning: {pattern_warnings('loss=([0-9.]+)')[0]}",
        r"  try: 'val loss is (\S+)' (it reads 1 number here, the last is 3.0)",
    ]


def test_what_would_help_several_metrics_is_said_once() -> None:
    metrics = {"test:f1": r"test f1: (\S+)", "best:f1": r"best f1: (\S+)", "loss": r"loss: (\S+)"}
    told = diagnose(io.BytesIO(b"epoch 1\nf1=0.5\nval_loss=0.25\n"), metrics, "loss").text()
    assert told.count("line 2: f1=0.5") == 1
    assert told.count(r"try: 'f1=(\S+)'") == 1
    assert (
        "0 matches in 3 lines for `best f1: (\\S+)` (best:f1)\n"
        "  the closest lines are those of test:f1\n"
        "  try: what is said of test:f1\n"
    ) in told
    assert r"try: 'val_loss=(\S+)'" in told


def test_at_most_five_lines_are_shown_and_no_two_that_differ_in_digits_only() -> None:
    kinds = ["val_f1={}", "val f1 {}", "the val f1 = {}", "f1 val {}", "F1 {} val", "val/f1 {}", "lr {}"]
    log = "".join(kind.format(f"0.{n}") + "\n" for n in range(50) for kind in kinds)
    closest = only(look(log)).closest
    assert len(closest) == 5
    assert all("0.49" in line.text and "lr" not in line.text for line in closest)


def test_values_that_are_not_finite_are_matches_but_never_a_suggestion() -> None:
    read = only(look("f1: nan\n"))
    assert read.count == 1
    assert read.last is not None
    assert math.isnan(read.last)
    assert only(look("val_f1 = nan\n")).suggestion is None
    assert only(look("val_f1 = nanity\n")).closest == ()


def test_what_is_shown_does_not_disturb_a_terminal_and_is_cut_around_the_number() -> None:
    (line,) = only(look("x" * 900 + "\x07\b val_f1 = 0.93 " + "y" * 500)).closest
    assert line.text.startswith("…xxx")
    assert r"\x07\x08 val_f1 = 0.93 yyy" in line.text
    assert line.text.endswith("y…")
    assert len(line.text) < 180


def test_a_match_far_into_a_long_line_is_shown_with_its_surroundings() -> None:
    (reading,) = only(look(b"\xc3\xa9" * 5_000 + b" f1: 0.5 " + b"z" * 5_000)).matched
    assert reading.captured == "0.5"
    assert "é f1: 0.5 zz" in reading.line.text
    assert len(reading.line.text) < 180


def test_json_holds_every_field_and_null_for_what_is_not_finite() -> None:
    diagnosis = json.loads(look("f1: 1\nf1: nan\n").to_json())
    assert (diagnosis["objective"], diagnosis["lines"], diagnosis["skipped_bytes"]) == (METRIC, 2, 0)
    (metric,) = diagnosis["metrics"]
    assert (metric["regex"], metric["count"], metric["last"]) == (r"f1: (\S+)", 2, None)
    assert metric["matched"][1] == {
        "line": {"number": 2, "text": "f1: nan"},
        "captured": "nan",
        "value": None,
    }
    assert json.loads(look("val_f1=1\n").to_json())["metrics"][0]["suggestion"] == {
        "regex": r"val_f1=(\S+)",
        "count": 1,
        "last": 1.0,
    }


def huge_log(path: Path) -> int:
    """Write a log of about 20 MiB with values at its beginning, in its middle and at its end."""
    filler = b"nothing to see here, move along\n" * (10 << 15)
    path.write_bytes(b"f1: 1\n" + filler + b"f1: 2\n" + filler + b"f1: 3\n")
    return path.stat().st_size


def check_huge(diagnosis: Diagnosis, size: int) -> None:
    metric = only(diagnosis)
    assert [reading.value for reading in metric.matched] == [1, 3]
    assert [reading.line.number for reading in metric.matched] == [1, None]
    assert 0 <= size - (16 << 20) <= diagnosis.skipped_bytes <= size - (16 << 20) + 64
    assert f"{diagnosis.skipped_bytes:,} bytes in the middle skipped" in diagnosis.summary()


def test_of_a_huge_log_the_beginning_and_the_end_are_read(tmp_path: Path) -> None:
    size = huge_log(tmp_path / "log")
    with (tmp_path / "log").open("rb") as log:
        check_huge(diagnose(log, {METRIC: r"f1: (\S+)"}, METRIC), size)


def test_a_huge_log_can_come_through_a_pipe(tmp_path: Path) -> None:
    size = huge_log(tmp_path / "log")
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write((tmp_path / "log").read_bytes())

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(reading, "rb") as log:
        check_huge(diagnose(log, {METRIC: r"f1: (\S+)"}, METRIC), size)
    writer.join()


@pytest.mark.parametrize("size", [8 << 20, (8 << 20) + 1, 16 << 20])
def test_a_log_of_up_to_16_mib_is_read_whole(size: int) -> None:
    end = b"f1: 0.5\n"
    diagnosis = look(b"x" * (size - len(end) - 1) + b"\n" + end)
    assert diagnosis.skipped_bytes == 0
    assert (diagnosis.lines, only(diagnosis).count) == (2, 1)


@pytest.mark.parametrize(
    "log",
    [
        b"1" * (1 << 20),
        b"1 " * (1 << 19),
        b"A" * (1 << 20),
        b"val_f1 " * (1 << 17),
        (b"f1 1 " * 300 + b"\n") * 700,
    ],
)
def test_no_log_keeps_the_doctor_busy(log: bytes) -> None:
    assert only(look(log)).count == 0


def test_a_pattern_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(SpecError, match="has no group"):
        look("f1: 1\n", r"f1: \S+")
