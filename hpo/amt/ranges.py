"""The parameters that AMT tunes: their ranges, and what each of its texts means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import assert_never

from hpo.amt.answer import Answer
from hpo.amt.values import float_of, integer_of, value_of, values_of
from hpo.spec.nodes import Plain
from hpo.spec.space import Scalar

_SCALINGS = {
    "": "auto",
    "Auto": "auto",
    "Linear": "linear",
    "Logarithmic": "logarithmic",
    "ReverseLogarithmic": "reverse-logarithmic",
}


class Kind(Enum):
    """What a range is of, and the key under which AMT has those of its kind."""

    INTEGER = "IntegerParameterRanges"
    CONTINUOUS = "ContinuousParameterRanges"
    CATEGORICAL = "CategoricalParameterRanges"


@dataclass(frozen=True, slots=True)
class Range:
    """A tuned parameter; bounds are exact, and a categorical one's values are by AMT's text for each."""

    name: str
    kind: Kind
    low: float = 0.0
    high: float = 0.0
    scaling: str = "auto"
    values: Mapping[str, Scalar] = field(default_factory=dict)

    def value(self, text: str, what: str) -> Scalar:
        """Return what AMT's text for a value means. Raises LauncherError; `what` is what it is of."""
        match self.kind:
            case Kind.INTEGER:
                return integer_of(text, what)
            case Kind.CONTINUOUS:
                return float_of(text, what)
            case Kind.CATEGORICAL:
                return self.values.get(text, value_of(text))
            case _:
                assert_never(self.kind)

    @property
    def written(self) -> dict[str, Plain]:
        """The range as a spec has it."""
        match self.kind:
            case Kind.CATEGORICAL:
                return {"type": "categorical", "values": list(self.values.values())}
            case Kind.INTEGER | Kind.CONTINUOUS:
                scaling: dict[str, Plain] = {} if self.scaling == "auto" else {"scaling": self.scaling}
                return {"type": self.kind.name.lower(), "min": self.low, "max": self.high, **scaling}
            case _:
                assert_never(self.kind)


def ranges(answer: Answer) -> Iterator[Range]:
    """Yield the tuned parameters of a ParameterRanges. Raises LauncherError for a bound that is no number."""
    for kind in Kind:
        for entry in answer.parts(kind.value):
            yield _range(kind, entry)


def _range(kind: Kind, entry: Answer) -> Range:
    name = entry.text("Name")
    if kind is Kind.CATEGORICAL:
        texts = entry.texts("Values")
        return Range(name, kind, values=dict(zip(texts, values_of(texts), strict=True)))
    number = integer_of if kind is Kind.INTEGER else float_of
    return Range(
        name,
        kind,
        low=number(entry.text("MinValue"), f"the least value of {name}"),
        high=number(entry.text("MaxValue"), f"the greatest value of {name}"),
        scaling=_SCALINGS.get(entry.text("ScalingType"), "auto"),
    )
