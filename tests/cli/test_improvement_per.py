"""Improvement per second, from the command line, with programs that take their time."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from hpo.core.history import History
from hpo.store.home import DATABASE, SPEC
from hpo.store.sqlite import Store
from hpo.wiring.prepared import prepare
from tests.command_line import Hpo

PROGRAM = """
[ "$4" = short ] || sleep 0.4
awk -v x="$2" 'BEGIN { print "loss=" (x - 0.3) ^ 2 }'
"""
"""Both kinds are as good."""

SPEC_OF: dict[str, Any] = {
    "parameters": {
        "x": {"type": "continuous", "min": 0.0, "max": 1.0},
        "kind": {"type": "categorical", "values": ["short", "long"]},
    },
    "strategy": {"name": "bayesian", "improvement_per": "second"},
    "limits": {"max_jobs": 16},
}


@pytest.fixture(scope="module")
def hpo(shared_hpo: Hpo) -> Hpo:
    """The command line with one job that was stopped, and went on."""
    shared_hpo.job(PROGRAM, **SPEC_OF)
    shared_hpo("run", "spec.yaml", "limits.max_runtime=2s", status=None)
    shared_hpo("resume", "job", "limits.max_runtime=10m")
    return shared_hpo


def test_the_short_trials_are_preferred_and_it_is_said_why(hpo: Hpo) -> None:
    trials = hpo("trials", "job", "--json").json
    assert len(trials) == 16
    words = ", improvement per second (0 pending, 0 failed)"
    assert trials[15]["proposed_by"] == f"model of 15 trials{words}"
    assert f"chosen by model of 15 trials{words}" in hpo("why", "job", "16").out
    chosen = [trial for trial in trials if words in trial["proposed_by"]]
    assert len(chosen) >= 8
    assert sum(trial["parameters"]["kind"] == "short" for trial in chosen) >= len(chosen) - 2


def test_what_is_stored_proposes_the_same_again(hpo: Hpo) -> None:
    [database] = hpo.home.rglob(DATABASE)
    with closing(Store.look(database)) as store:
        record, trials = store.record(), list(store.trials())
    prepared = prepare([database.with_name(SPEC)], base=hpo.folder, check_launch=False)
    for last in trials[8:]:
        earlier = History.of(record.settings.objective, trials[: last.number - 1])
        proposal = prepared.strategy(record.seed).propose(earlier, last.number)
        assert proposal is not None
        assert proposal.params == last.params


def test_the_plan_says_what_is_looked_for(hpo: Hpo) -> None:
    words = "improvement per second: of equally promising trials the shorter one"
    assert f"model     {words}\n" in hpo("plan", "spec.yaml").out
    assert hpo("plan", "spec.yaml", "--json").json["model"] == words
    plain = hpo("plan", "spec.yaml", "strategy=bayesian", "--json").json
    assert plain["model"] is None


@pytest.mark.parametrize(
    ("strategy", "problem"),
    [
        ("{name: random, improvement_per: second}", "it belongs to `name: bayesian`"),
        ("{name: bayesian, improvement_per: minute}", "it must be trial or second"),
    ],
)
def test_what_makes_no_sense_is_refused(hpo: Hpo, strategy: str, problem: str) -> None:
    assert problem in hpo.refused("plan", "spec.yaml", f"strategy={strategy}")
