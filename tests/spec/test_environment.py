"""References to variables of the environment."""

from collections.abc import Callable

import pytest

from hpo.spec.document import Document
from hpo.spec.models import Spec

Read = Callable[..., Document]
Load = Callable[..., Spec]
Refuse = Callable[..., list[str]]


def test_a_lone_reference_takes_the_type_of_its_value(read: Read) -> None:
    document = read(
        "a: ${A}\nb: ${B:-5}\nc: ${C:-0.5}\nd: ${D:-true}\n"
        "e: {f: ${E:-a, b: c}, g: [${A}, ${A}]}\nh: ${H:-}\n",
        environment={"A": "1e-3", "B": ""},
    )
    assert document.value() == {
        "a": 1e-3,
        "b": 5,
        "c": 0.5,
        "d": True,
        "e": {"f": "a, b: c", "g": [1e-3, 1e-3]},
        "h": None,
    }


def test_a_reference_within_text_or_quotes_stays_text(read: Read) -> None:
    document = read(
        "a: '${A}'\nb: \"${A}\"\nc: x${A}\nd: ${A}${A}\ne: $A $${A} $$${A}\nf: [1, ${LIST}]\n${A}: key\n",
        environment={"A": "5", "LIST": "[a, *b]"},
    )
    assert document.value() == {
        "a": "5",
        "b": "5",
        "c": "x5",
        "d": "55",
        "e": "$A ${A} $${A}",
        "f": [1, "[a, *b]"],
        "${A}": "key",
    }


def test_what_a_variable_holds_is_not_expanded_again(read: Read) -> None:
    document = read("a: ${A}\n", environment={"A": "${B}"})
    assert document.value("a") == "${B}"


def test_a_replaced_reference_needs_no_variable(load: Load, text: str) -> None:
    base = text.replace("max_jobs: 5", "max_jobs: ${UNSET}")
    assert load(base, overrides=("limits.max_jobs=3",)).limits.max_jobs == 3


def test_an_unset_variable_is_the_only_mistake_of_its_place(refuse: Refuse, text: str) -> None:
    (problem,) = refuse(text.replace("max_jobs: 5", "max_jobs: ${UNSET}"))
    assert problem == (
        "tune.yaml:6:20: the environment variable UNSET is not set\n"
        "    set it, or give a default: ${UNSET:-default}; $${ stands for ${ itself"
    )


@pytest.mark.parametrize("value", ["9" * 20, "\udc80"])
def test_a_variable_that_no_value_can_be_is_refused(refuse: Refuse, text: str, value: str) -> None:
    (problem,) = refuse(text + "fixed: {a: ${A}}\n", environment={"A": value})
    assert problem.startswith("tune.yaml:8:12: ")
    assert problem.isprintable()
    assert problem.endswith("(the value of `${A}`)")
