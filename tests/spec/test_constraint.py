"""Constraints: what they mean, what cannot stand in one, and that each costs little whatever it says."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo.spec.constraint import Domain, Mismatch
from hpo.spec.expression import DEEPEST, LONGEST, ExpressionError, parse
from hpo.spec.space import Scalar

DOMAINS = {
    "a": Domain(),
    "b": Domain(),
    "batch-size": Domain(),
    "x.y": Domain(),
    "lambda": Domain(),
    "kind": Domain(("sgd", "adam")),
    "depth": Domain((None, 3, 5)),
    "flag": Domain((True, False)),
    "mixed": Domain((1, True, "1", 1.5)),
}
VALUES: dict[str, Scalar] = {
    "a": 2,
    "b": 0.5,
    "batch-size": 64,
    "x.y": -3.0,
    "lambda": 7,
    "kind": "sgd",
    "depth": 3,
    "flag": True,
    "mixed": 1,
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("a < 3", True),
        ("a < 2", False),
        ("a <= 2", True),
        ("a > 2", False),
        ("a >= 2", True),
        ("a == 2", True),
        ("a == 2.0", True),
        ("a != 2", False),
        ("1 < a <= 2 < 3", True),
        ("1 < a < 2 < 3", False),
        ("a + b * 2 == 3", True),
        ("(a + b) * 2 == 5", True),
        ("a - b == 1.5 and a / 4 == b", True),
        ("7 // a == 3 and 7 % a == 1 and a ** 3 == 8", True),
        ("-a == -2 and +b == 0.5", True),
        ("`batch-size` * a <= 4096", True),
        ("`batch-size`*a>128", False),
        ("`x.y` < 0 and `lambda` == 7 and `a` == 2", True),
        ("min(a, b, 9) == 0.5 and max(a, b) == 2 and abs(`x.y`) == 3", True),
        ("log(a) < 0.7 and log(8, a) == 3", True),
        ("kind == 'sgd'", True),
        ('kind != "sgd"', False),
        ("kind in ('sgd', 'adam') and kind not in ['adam']", True),
        ("a in (1, 2.0)", True),
        ("depth == null or depth < 5", True),
        ("depth != null", True),
        ("None == depth", False),
        ("flag", True),
        ("not flag", False),
        ("flag == true", True),
        ("flag == False", False),
        ("mixed == 1.0 and mixed != true and mixed != '1'", True),
        ("not (a < 1 or b > 1)", True),
        ("a < 1 or flag and b < 1", True),
        ("epochs * a == 6", True),
        ("a <\n  3", True),
        ("  a < 3  ", True),
        ("a / (a - 2) < 1 or a == 2", False),  # it cannot be computed, and so does not hold
        ("log(`x.y`) < 9", False),
        ("(`x.y`) ** 0.5 < 9", False),
        ("9 ** 9 ** 9 > a", False),
        ("a ** a ** a ** a ** a ** a > 0", False),
    ],
)
def test_what_a_constraint_means(text: str, holds: bool) -> None:
    assert parse(text, DOMAINS, {"epochs": 3}).holds(VALUES) is holds


def test_it_holds_where_a_parameter_that_it_names_is_inactive() -> None:
    constraint = parse("a < 1 and `batch-size` < 1", DOMAINS)
    assert constraint.names == {"a", "batch-size"}
    assert not constraint.holds({"a": 3, "batch-size": 3})
    assert constraint.holds({"a": 3})
    assert constraint.holds({})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there is nothing in it"),
        ("a +* 3", "at character 4, `* 3`: it cannot be read"),
        ("a = 3", "at character 3, `= 3`: it cannot be read"),
        ("`batch-size < 3", "it cannot be read"),
        ("a < 3; b", "at character 6, `; b`: it cannot be read"),
        ("a + 3", "at character 1, `a + 3`: it is a number, where true or false must stand"),
        ("kind", "at character 1, `kind`: it is text, where true or false must stand"),
        ("a < kind", "at character 5, `kind`: it is text, where a number must stand"),
        ("a + flag < 3", "at character 5, `flag`: it is true or false, where a number must stand"),
        ("a and flag", "at character 1, `a`: it is a number, where true or false must stand"),
        ("batch-size < 3", "at character 1, `batch`: `batch` is no parameter"),
        ("x.y < 3", "at character 1, `x.y`: this cannot stand in a constraint"),
        ("kind == sgd", "at character 9, `sgd`: `sgd` is no parameter"),
        ("kind == 'sdg'", "at character 9, `'sdg'`: `kind` never equals this; did you mean `sgd`?"),
        ("kind in ('adam', 'lion')", "at character 18, `'lion'`: `kind` never equals this"),
        ("depth == 4", "at character 10, `4`: `depth` never equals this"),
        ("a == 'x'", "at character 6, `'x'`: `a` never equals this"),
        ("`batch_size` < 3", "`batch_size` is no parameter; did you mean `batch-size`?"),
        ("é < 3 and ü < 2", "at character 1, `é`: `é` is no parameter"),
        ("a < 3 and ü < 2", "at character 11, `ü`: `ü` is no parameter"),
        ("__import__('os')", "at character 1, `__import__('os')`: this cannot stand in a constraint"),
        ("(lambda: 1)() < 2", "at character 1, `(lambda: 1)()`: this cannot stand in a constraint"),
        ("a in (1, 2) == flag", "`in` stands by itself"),
        ("a.real < 1", "at character 1, `a.real`: this cannot stand in a constraint"),
        ("[x for x in a] == 1", "this cannot stand in a constraint"),
        ("a if flag else b", "this cannot stand in a constraint"),
        ("f'{a}' == 'x'", "this cannot stand in a constraint"),
        ("(a := 3) < 4", "this cannot stand in a constraint"),
        ("a @ b < 4", "this cannot stand in a constraint"),
        ("a << 90 < 4", "this cannot stand in a constraint"),
        ("~a < 4", "this cannot stand in a constraint"),
        ("a is null", "this cannot stand in a constraint"),
        ("2j == a", "this cannot stand in a constraint"),
        ("b'x' == a", "this cannot stand in a constraint"),
        ("min(a) < 1", "min takes 2 or more"),
        ("max(*a) < 1", "this cannot stand in a constraint"),
        ("log(x=a) < 1", "this cannot stand in a constraint"),
        ("a < 1" + " " * LONGEST, "it is longer than 1,000 characters"),
        ("-" * (DEEPEST + 5) + "a < 1", "more than 50 levels lie within one another"),
        ("(" * 300 + "a < 1" + ")" * 300, "it cannot be read"),
        ("not " * 240 + "flag", "more than 50 levels lie within one another"),
    ],
)  # fmt: skip
def test_what_cannot_be_one_is_told_with_its_place(text: str, words: str) -> None:
    domains = {name: domain for name, domain in DOMAINS.items() if name != "lambda"}
    with pytest.raises(ExpressionError) as caught:
        parse(text, domains)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a = 3", "equality is written =="),
        ("`batch-size < 3", "a backquote is never closed"),
        ("batch-size < 3", "`batch-size` stands in backquotes"),
        ("x.y < 3", "`x.y` stands in backquotes"),
        ("kind == sgd", "text stands in quotes: 'sgd'"),
        ("kind == 'lion'", "its values are 'sgd', 'adam'"),
        ("c < 3", "there are: a, b, batch-size"),
        ("a.real < 1", "allowed are numbers, + - * / // % **"),
    ],
)
def test_what_to_write_instead_is_told(text: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, DOMAINS)
    assert hint in caught.value.hint


def test_a_value_of_the_wrong_kind_is_found_and_does_not_hold() -> None:
    constraint = parse("depth < 5", DOMAINS)
    constraint.check({"depth": 3})
    with pytest.raises(Mismatch, match="`depth` is null there, and no number"):
        constraint.check({"depth": None})
    assert not constraint.holds({"depth": None})
    with pytest.raises(Mismatch, match="`mixed` is '1' there, and neither true nor false"):
        parse("not mixed", DOMAINS).check({"mixed": "1"})


@pytest.mark.parametrize(
    "text",
    [
        "**".join(["9"] * 40) + " < a",
        "*".join(["9" * 20] * 45) + " < a",
        "*".join(["a"] * 499) + " < 1",
        "a" + " == a" * 199,
        "max(" * 40 + "a" + ", 1)" * 40 + " < 1",
        "flag == (" * 45 + "flag" + ") == flag" * 45,
        "'" + "x" * 900 + "' == kind or flag",
        "9" * 900 + " % 7 < a",
    ],
)
def test_none_is_long_in_reading_or_computing(text: str) -> None:
    """Nothing in a text of 1,000 characters takes a second, or a number of millions of digits."""
    began = time.process_time()
    try:
        constraint = parse(text, DOMAINS)
    except ExpressionError:
        pass
    else:
        constraint.holds({**VALUES, "a": 2**53})
    assert time.process_time() - began < 1.0


numbers = st.recursive(
    st.sampled_from(["a", "b", "`batch-size`", "0", "2", "0.5", "7"]),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner)
        | st.builds("-{}".format, inner)
        | st.builds("min({}, {})".format, inner, inner)
        | st.builds("abs({})".format, inner)
    ),
    max_leaves=6,
)
comparisons = st.builds(
    "{} {} {}".format, numbers, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), numbers
)
conditions = st.recursive(
    comparisons | st.builds("{} < {} <= {}".format, numbers, numbers, numbers),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner)
        | st.builds("(not {})".format, inner)
    ),
    max_leaves=4,
)


@settings(max_examples=300, derandomize=True, database=None)
@given(conditions, st.integers(-9, 9), st.floats(-9, 9))
def test_it_means_what_it_means_in_python(text: str, a: int, b: float) -> None:
    values: dict[str, Scalar] = {"a": a, "b": b, "batch-size": 3}
    try:
        wanted = eval(text.replace("`batch-size`", "3"), {"a": a, "b": b, "min": min, "abs": abs})  # noqa: S307
    except ArithmeticError:
        wanted = False
    assert parse(text, DOMAINS).holds(values) is wanted
    assert math.isfinite(b)
