"""Patterns that are refused, with the reason, and patterns that are warned of, with the way out."""

from __future__ import annotations

import pytest

from hpo.errors import SpecError
from hpo.metrics.regex import NUMBER, pattern_problem, pattern_warnings
from hpo.metrics.scan import compile_metrics

USABLE = [
    r"f1: (\S+)",
    r"(?i)f1[:=] *(\S+)",
    r"loss: (?P<value>[^,;]+)",
    r"step (\d+)",
    r"acc:(.*?);",  # as in AWS's guide: what follows ends it
    r"values?: (\S+)",
    r"loss+: (\S+)",  # no backslash is lost: it is a word's last letter
    r"[dsw]+=(\S+)",
    r"\[(\S+)\]",
    r".*\[[0-9]+\].*#011validation-auc:(\S+)",
    r"#quality_metric: host=\S+, validation binary_f_\S+ <score>=(\S+)",
    r"#quality_metric: host=\S+, epoch=\S+, validation mAP <score>=\((\S+)\)",
    r"metrics={'r2': (\S+)}",
    rf"f1: ({NUMBER})",
]


@pytest.mark.parametrize("regex", USABLE)
def test_a_good_pattern_has_neither_a_problem_nor_a_warning(regex: str) -> None:
    assert pattern_problem(regex) == ""
    assert pattern_warnings(regex) == []


PROBLEMS = [
    (r"f1: (\S+", "a ( is never closed"),
    (r"f1: \S+)", "a ) closes nothing"),
    ("f1: ([0-9)", "a [ is never closed"),
    ("f1: (\\", "it ends in a single backslash"),
    ("*f1: (.+)", "* has nothing to repeat"),
    ("f1: (x**)", "** repeats what is repeated already"),
    ("f1: (x{1001})", "{1001} repeats too often"),
    ("f1: ([z-a])", "z-a is no range"),
    (r"f1: (\y)", r"\y is no escape sequence"),
    (r"f1: (\S+)\Z", "write $ for the end of a line"),
    (r"(?>f1): (\S+)", "(?> is not available"),
    (r"(?=f1)(\S+)", "look-ahead (?=…) is refused: matching must take linear time"),
    (r"(?!f1)(\S+)", "look-ahead (?!…) is refused: matching must take linear time"),
    (r"(?<=f1: )(\S+)", "look-behind (?<=…) is refused: matching must take linear time"),
    (r"(?<!val )f1: (\S+)", "look-behind (?<!…) is refused: matching must take linear time"),
    (r"(a)=\1", r"back reference \1 is refused: matching must take linear time"),
    (r"(?P<n>a)=(?P=n)", "back reference (?P=…) is refused: matching must take linear time"),
    (r"f1: \S+", "has no group"),
    (r"(f1|F1): (\S+)", "has 2 groups, and needs exactly one"),
    (r"(f1|F1): (\S+)", "(?:…)"),
    (r"(\d*)", "matches an empty line"),
    (r"^(.*)$", "matches an empty line"),
    (r"acc:(.*?)", "captures the empty text before a number"),
    (r"(?:acc|accuracy):(\S*?)", "captures the empty text before a number"),
    (r"(?U)acc:(.*)", "captures the empty text before a number"),
    ("f1: (\\S+)\n", "asks for a line's end"),
    (r"f1: (\S+)\n", "asks for a line's end"),
    (r"f1: (\C+)", r"\C matches single bytes"),
    ("f1: (" + "x" * 495 + ")", "the pattern has 501 characters; 500 are the most"),
    (r"f1: (\pL{0,100}x)", "2,000 are the most"),
    (r"f1: (\pL{1000})", "too large"),
    ("f1: (\ud800+)", "half of a surrogate pair"),
]


@pytest.mark.parametrize(("regex", "message"), PROBLEMS)
def test_a_bad_pattern_is_refused_with_the_reason(regex: str, message: str) -> None:
    assert message in pattern_problem(regex)
    assert pattern_warnings(regex) == []


def test_a_pattern_of_500_characters_is_allowed() -> None:
    assert pattern_problem("f1: (" + "x" * 494 + ")") == ""


WARNINGS = [
    (r"f1:s+(\S+)", r"`s+` was probably meant as `\s+`"),
    (r"f1: (S+)", r"`S+` was probably meant as `\S+`"),
    (r"epoch d+ f1: (\S+)", r"`d+` was probably meant as `\d+`"),
    (r"f1: (d{1,3})", r"`d{1,3}` was probably meant as `\d{1,3}`"),
    (r"f1: (\\S+)", r"`\\S` was probably meant as `\S`"),
    ("\bf1: (\\S+)", "holds a backspace"),
    (r"f1: ([0-9\.]+)", "reads 4.2e-05 as 4.2, and captures `0.97.`, which is no number"),
    (r"f1: (\d+\.\d+)", r"`(\d+\.\d+)` reads 4.2e-05 as 4.2: use `(\S+)`"),
    (r"f1: (.*)", "`(.*)` can capture nothing at all"),
    (r"f1: (\S*)$", r"`(\S*)` can capture nothing at all"),
    (r"f1: (.+?)", "`(.+?)` reads 12345 as 1"),
]


@pytest.mark.parametrize(("regex", "warning"), WARNINGS)
def test_a_trap_has_its_own_warning(regex: str, warning: str) -> None:
    assert pattern_problem(regex) == ""
    (found,) = pattern_warnings(regex)
    assert warning in found


def test_every_bad_pattern_of_a_spec_is_named_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        compile_metrics({"f1": r"f1: \S+", "fine": r"x=(\S+)", "loss": r"loss: (\S+"})
    assert [problem.path for problem in caught.value.problems] == ["metrics.f1", "metrics.loss"]
    assert "has no group" in str(caught.value)
    assert "a ( is never closed" in str(caught.value)
