"""Acceptance line 18: a warm start where parameters are others, through the real command line."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.parents import X, child, parent, told, trials
from tests.command_line import Hpo


@pytest.mark.parametrize("kind", ["identical", "transfer"])
def test_acceptance_18_points_outside_of_narrowed_ranges_are_counted(hpo: Hpo, kind: str) -> None:
    parent(hpo)
    inside = [t for t in trials(hpo, "first") if t["parameters"]["x"] <= 0.5]
    child(hpo, kind, parameters={"x": X | {"max": 0.5}})
    said = hpo("run", "spec.yaml").err
    data = told(hpo)
    assert (data["used"], data["out_of_range"]) == (len(inside), 8 - len(inside))
    assert 0 < len(inside) < 8
    out = 8 - len(inside)
    left = {"identical": "of use to a model alone", "transfer": "left out"}[kind]
    assert data["beyond"] == {"identical": out, "transfer": 0}[kind]
    assert f"{len(inside)} of 8 trials are used; {out} out of range, {left}; " in said
    assert f"; out of range were x in {out}\n" in said
    assert data["outside"] == {"x": out}
    child(hpo, kind, "second", name="third", parameters={"x": X})
    hpo("run", "spec.yaml")  # for which they were kept
    later = told(hpo, "third")
    assert (later["trials"], later["out_of_range"]) == (16, 0)
    assert later["used"] == 16 - later["repeated"]  # a transfer tries the parent's best ones again


def test_acceptance_18_choices_added_and_removed_and_parameters_fixed(hpo: Hpo) -> None:
    kinds = {"type": "categorical", "values": ["a", "b"]}
    parent(hpo, parameters={"x": X, "kind": kinds})
    count = sum(trial["parameters"]["kind"] == "b" for trial in trials(hpo, "first"))
    assert 0 < count < 8
    other = {"type": "categorical", "values": ["b", "c"]}
    child(hpo, "identical", parameters={"x": X, "kind": other})
    hpo("run", "spec.yaml")
    assert (told(hpo)["used"], told(hpo)["out_of_range"]) == (count, 8 - count)
    child(hpo, "identical", name="third", parameters={"x": X}, fixed={"kind": "b"})
    said = hpo("run", "spec.yaml").err
    assert (told(hpo, "third")["used"], told(hpo, "third")["different"]) == (count, 8 - count)
    assert f"{8 - count} with another value of a fixed parameter, left out" in said
    child(hpo, "transfer", name="fourth", parameters={"x": X}, fixed={"kind": "b"})
    said = hpo("run", "spec.yaml").err
    assert (told(hpo, "fourth")["used"], told(hpo, "fourth")["fixed"]) == (8, ["kind"])
    assert "8 of 8 trials are used; fixed here, and of other values there: kind" in said


def test_nothing_is_begun_where_the_parents_have_tried_everything(hpo: Hpo) -> None:
    few: dict[str, Any] = {"parameters": {"x": {"type": "integer", "min": 1, "max": 8}}}
    parent(hpo, **few)
    child(hpo, "identical", **few)
    assert "the parents have tried every configuration" in hpo("run", "spec.yaml", status=2).err
    wider: dict[str, Any] = {"parameters": {"x": {"type": "integer", "min": 1, "max": 10}}}
    child(hpo, "identical", **wider)
    hpo("run", "spec.yaml")
    assert sorted(trial["parameters"]["x"] for trial in trials(hpo)) == [9, 10]
