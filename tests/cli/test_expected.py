"""The trial that is expected to be better than the best observed, as every command shows it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.command_line import Hpo

PROGRAM = r"""
while [ $# -gt 0 ]; do
  case "$1" in
  --x) x=$2 ;; --y) y=$2 ;; --kind) kind=$2 ;; --noise) noise=$2 ;;
  esac
  shift 2
done
awk -v x="$x" -v y="$y" -v kind="$kind" -v noise="$noise" -v trial="$HPO_TRIAL" 'BEGIN {
  loss = (x - 0.3) ^ 2 + noise * (trial * 7919 % 101 - 50) / 50
  if (kind == "a") loss += (y - 0.5) ^ 2 / 2
  if (kind == "b") loss += 0.2
  printf "loss=%.17g\ngain=%.17g\nsize=%.17g\n", loss, -loss, x
}'
"""
"""A bowl around x = 0.3, and luck that depends on the trial's number alone."""

METRICS = {"loss": r"loss=(\S+)", "gain": r"gain=(\S+)", "size": r"size=(\S+)"}


def run(hpo: Hpo, **sections: Any) -> str:
    """Run a job of 16 random trials whose values are off by 0.1 at the most, and return what was said."""
    given = {
        "seed": 4,
        "metrics": METRICS,
        "fixed": {"noise": 0.1},
        "limits": {"max_jobs": 16, "max_parallel_jobs": 2},
    }
    hpo.job(PROGRAM, **(given | sections))
    if "algorithms" in sections:
        spec = yaml.safe_load(hpo.text("spec.yaml"))
        del spec["parameters"]
        hpo.write("spec.yaml", yaml.safe_dump(spec))
    return hpo("run", "spec.yaml").err


def loss(trial: Any) -> float:
    """Return what a trial would give without luck."""
    given = trial["parameters"]
    beside = {"a": (given.get("y", 0.5) - 0.5) ** 2 / 2, "b": 0.2}
    return float((given["x"] - 0.3) ** 2 + beside.get(given.get("kind"), 0.0))


@pytest.fixture(scope="module")
def hpo(shared_hpo: Hpo) -> Hpo:
    """The command line with a job of noisy values, which ended."""
    run(shared_hpo)
    return shared_hpo


@pytest.fixture(scope="module")
def best(hpo: Hpo) -> Any:
    return hpo("best", "job", "--json").json


def test_the_luckiest_trial_is_the_best_observed_and_the_model_expects_more_of_another(
    hpo: Hpo, best: Any
) -> None:
    by_value, expected = hpo("trials", "job", "--json", "--sort", "value").json, best["expected"]
    assert best["trial"] == by_value[0]["trial"]
    other = by_value[expected["rank"] - 1]
    assert loss(other) < loss(best) - 0.01
    assert expected == {
        "trial": other["trial"],
        "algorithm": None,
        "origin": "job",
        "value": expected["value"],
        "standard_deviation": expected["standard_deviation"],
        "observed": other["value"],
        "rank": expected["rank"],
        "expected_of_best": expected["expected_of_best"],
        "probability": expected["probability"],
        "parameters": other["parameters"],
    }
    assert 0.8 <= expected["probability"] <= 1.0
    assert abs(expected["value"] - loss(other)) < 3 * expected["standard_deviation"] < 0.1
    assert best["value"] < expected["value"] < expected["expected_of_best"]


def test_it_is_told_in_words(hpo: Hpo, best: Any) -> None:
    expected = best["expected"]
    first, x, told, other = hpo("best", "job").out.splitlines()
    assert first.startswith(f"loss = {best['value']!r}  (trial {best['trial']}, ")
    assert x.split() == ["x", repr(best["parameters"]["x"])]
    assert told == (
        f"trial {expected['trial']} may be better: the model expects {expected['value']:.3f} ± "
        f"{expected['standard_deviation']:.3f} of it, and {expected['expected_of_best']:.3f} of trial "
        f"{best['trial']}, whose {best['value']:.6g} is partly luck; `hpo confirm job` tells"
    )
    assert other.split() == ["x", repr(expected["parameters"]["x"])]


def test_scripts_get_the_best_observed_unless_they_ask_for_the_other(hpo: Hpo, best: Any) -> None:
    observed, other = best["parameters"]["x"], best["expected"]["parameters"]["x"]
    assert hpo("best", "job", "--format", "args").out == f"--noise 0.1 --x {observed!r}\n"
    assert hpo("best", "job", "--expected", "--format", "args").out == f"--noise 0.1 --x {other!r}\n"
    assert hpo("best", "job", "--expected", "--format", "env").out == f"NOISE=0.1\nX={other!r}\n"
    given = yaml.safe_load(hpo("best", "job", "--expected", "--format", "yaml").out)
    assert list(given) == list(best)
    assert given["trial"] == best["expected"]["trial"]
    assert given["value"] == best["expected"]["observed"]
    assert given["expected"] == best["expected"]
    lines = hpo("best", "job", "--expected").out.splitlines()
    assert lines[0].startswith(f"loss = {given['value']!r}  (trial {given['trial']}, ")
    assert lines[2].startswith(f"trial {given['trial']} may be better: ")
    assert len(lines) == 3


def test_of_the_top_the_first_one_says_what_is_expected(hpo: Hpo, best: Any) -> None:
    top = hpo("best", "job", "--top", "3", "--json").json
    assert [each["expected"] for each in top] == [best["expected"], None, None]
    assert "leave --top out" in hpo("best", "job", "--top", "3", "--expected", status=2).err


def test_the_gate_is_about_what_is_asked_for(hpo: Hpo, best: Any) -> None:
    gate = f"best > {best['value']}"
    hpo("best", "job", "--format", "args", "--fail-if", gate)
    failed = hpo("best", "job", "--expected", "--fail-if", gate, status=3)
    assert f"best is {best['expected']['value']!r}" in failed.err


def test_status_keeps_to_what_was_observed(hpo: Hpo) -> None:
    assert "expected" not in hpo("status", "job", "--json").json["best"]


def test_in_python_it_is_worked_out_when_it_is_asked_for(hpo: Hpo, best: Any) -> None:
    program = (
        "import hpo, json, sys\n"
        "result = hpo.tune('spec.yaml', resume=True)\n"
        "assert 'numpy' not in sys.modules\n"
        "each = result.expected\n"
        "assert each == hpo.expected('job')\n"
        "print(json.dumps([result.best.trial, each.trial, each.value, each.parameters, each.probability]))\n"
    )
    keys = ("trial", "value", "parameters", "probability")
    assert json.loads(hpo.python(program)) == [best["trial"], *(best["expected"][key] for key in keys)]


def test_a_spec_that_cannot_be_read_is_told_and_hides_nothing(hpo: Hpo) -> None:
    spec = hpo.home / "jobs/job/spec.yaml"
    kept = spec.read_text(encoding="utf-8")
    spec.write_text(kept.replace("continuous", "continous"), encoding="utf-8")
    try:
        shown = hpo("best", "job", "--json")
        assert (shown.json["trial"], shown.json["expected"]) == (15, None)
        assert "hpo: what the model expects cannot be told: " in shown.err
        assert "did you mean" in shown.err
        assert hpo("best", "job", "--format", "args").err == ""
    finally:
        spec.write_text(kept, encoding="utf-8")


def test_without_noise_the_best_observed_is_the_best(hpo: Hpo) -> None:
    run(hpo, name="exact", fixed={"noise": 0})
    exact = hpo("best", "exact", "--json").json
    assert exact["expected"] is None
    args = hpo("best", "exact", "--expected", "--format", "args").out
    assert args == f"--noise 0 --x {exact['parameters']['x']!r}\n"
    lines = hpo("best", "exact", "--expected").out.splitlines()
    assert lines[2:] == ["no other trial is expected to be better"]


def test_a_goal_of_more_is_the_same_the_other_way_round(hpo: Hpo, best: Any) -> None:
    run(hpo, name="more", objective={"metric": "gain", "goal": "maximize"})
    more = hpo("best", "more", "--json").json
    assert (more["trial"], more["value"]) == (best["trial"], -best["value"])
    assert more["expected"]["trial"] == best["expected"]["trial"]
    for key in ("value", "observed", "expected_of_best"):
        assert more["expected"][key] == pytest.approx(-best["expected"][key])
    assert more["expected"]["probability"] == pytest.approx(best["expected"]["probability"])


def test_what_is_expected_meets_what_is_required(hpo: Hpo) -> None:
    """The model knows of better places, but their trials are no results."""
    run(hpo, name="required", seed=9, require=["size > 0.4"])
    best, trials = hpo("best", "required", "--json").json, hpo("trials", "required", "--json").json
    expected = trials[best["expected"]["trial"] - 1]
    assert expected["feasible"]
    assert loss(expected) < loss(best)
    assert any(loss(trial) < loss(expected) for trial in trials)


def test_categories_and_conditions(hpo: Hpo) -> None:
    run(
        hpo,
        name="kinds",
        seed=25,
        parameters={
            "kind": {"type": "categorical", "values": ["a", "b"]},
            "x": {"type": "continuous", "min": 0.0, "max": 1.0},
            "y": {"type": "continuous", "min": 0.0, "max": 1.0, "when": {"kind": ["a"]}},
        },
        limits={"max_jobs": 24, "max_parallel_jobs": 2},
    )
    best = hpo("best", "kinds", "--json").json
    assert set(best["expected"]["parameters"]) == {"kind", "x", "y"}
    assert loss(best["expected"]) < loss(best)
    told = hpo("best", "kinds").out.splitlines()[5:]
    assert [line.split()[0] for line in told] == ["kind", "x", "y"]


def test_of_algorithms_each_has_a_model_of_its_own(hpo: Hpo) -> None:
    wide = {"parameters": {"x": {"type": "continuous", "min": 0.0, "max": 1.0}}}
    far = {"parameters": {"x": {"type": "continuous", "min": 0.8, "max": 1.5}}, "fixed": {"noise": 0.01}}
    run(hpo, name="both", seed=34, algorithms={"wide": wide, "far": far}, limits={"max_jobs": 24})
    best, trials = hpo("best", "both", "--json").json, hpo("trials", "both", "--json").json
    expected = best["expected"]
    assert expected["algorithm"] == trials[expected["trial"] - 1]["algorithm"] == "wide"
    assert loss(expected) < loss(best)
    assert hpo("best", "both", "--algorithm", "wide", "--json").json["expected"] == expected
    assert hpo("best", "both", "--algorithm", "far", "--json").json["algorithm"] == "far"


def test_a_parent_s_trial_may_be_the_better_one(hpo: Hpo, best: Any) -> None:
    warm = {"type": "identical", "parents": ["job"]}
    run(hpo, name="child", warm_start=warm, limits={"max_jobs": 8})
    child = hpo("best", "child", "--json").json
    expected = child["expected"]
    assert (child["origin"], expected["origin"]) == ("job", "job")
    assert (child["trial"], expected["trial"]) == (best["trial"], best["expected"]["trial"])
    told = hpo("best", "child").out.splitlines()[2]
    assert told.startswith(f"trial {expected['trial']} of job may be better: ")
    assert "hpo confirm" not in told  # the child has no such trial
    args = hpo("best", "child", "--expected", "--format", "args").out
    assert args == f"--noise 0.1 --x {expected['parameters']['x']!r}\n"


def test_several_objectives_have_no_trial_that_is_expected_to_be_better(hpo: Hpo) -> None:
    several = [{"metric": "loss", "goal": "minimize"}, {"metric": "size", "goal": "minimize"}]
    run(hpo, name="several", objective=None, objectives=several, limits={"max_jobs": 9})
    assert all("expected" not in each for each in hpo("best", "several", "--json").json)
    assert "has no single best trial" in hpo("best", "several", "--expected", status=2).err


def test_the_end_of_a_job_that_a_model_searched_tells_of_it(hpo: Hpo) -> None:
    initial = [trial["parameters"] for trial in hpo("trials", "job", "--json").json]
    said = run(hpo, name="searched", strategy="bayesian", initial=initial, limits={"max_jobs": 16})
    best = hpo("best", "searched", "--json").json
    assert best["expected"] is not None
    assert hpo("best", "searched").out.splitlines()[2] in said.splitlines()
    assert loss(best["expected"]) < loss(best)
