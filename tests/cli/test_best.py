"""What best prints of an ended job, in every form."""

from __future__ import annotations

import shlex

import pytest
import yaml

from tests.cli.ended_job import GIVEN, exact
from tests.command_line import Hpo


@pytest.fixture
def hpo(ended_job: Hpo) -> Hpo:
    """The command line with one ended job."""
    return ended_job


def test_best_has_the_documented_shape(hpo: Hpo) -> None:
    assert exact(hpo("best", "job", "--json").json) == exact(GIVEN)
    assert hpo("best", "job", "--format", "json").json == GIVEN


def test_the_top_are_a_list_best_first(hpo: Hpo) -> None:
    top = hpo("best", "job", "--top", "3", "--json").json
    assert exact(top[0]) == exact(GIVEN)
    assert [best["trial"] for best in top] == [1, 2, 6]
    assert hpo("best", "job", "--top", "1", "--json").json == [GIVEN]


def test_best_as_a_table(hpo: Hpo) -> None:
    first, *rest = hpo("best", "job").out.splitlines()
    assert first.startswith("loss = 11.25  (trial 1, ")
    assert [line.split() for line in rest] == [["kind", "true"], ["max-depth", "1"]]


def test_best_as_yaml(hpo: Hpo) -> None:
    assert exact(yaml.safe_load(hpo("best", "job", "--format", "yaml").out)) == exact(GIVEN)
    assert exact(yaml.safe_load(hpo("best", "job", "--format", "yaml", "--top", "1").out)) == exact([GIVEN])


def test_best_as_arguments_are_those_that_the_trial_had(hpo: Hpo) -> None:
    """The fixed ones among them; also where a value is true, null or has a blank in it."""
    lines = hpo("best", "job", "--format", "args", "--top", "9").out.splitlines()
    trials = [best["trial"] for best in hpo("best", "job", "--json", "--top", "9").json]
    given = [hpo.text(f"args-{trial}").split("\n")[:-1] for trial in trials]
    assert [shlex.split(line) for line in lines] == given
    assert given[0][:4] == ["--epochs", "50", "--note", "two x ${y}"]


def test_best_as_shell_assignments(hpo: Hpo) -> None:
    lines = hpo("best", "job", "--format", "env").out.splitlines()
    assert lines == ["EPOCHS=50", "NOTE='two x ${y}'", "KIND=true", "MAX_DEPTH=1"]
    assert "KIND='a b'\nMAX_DEPTH=1\n" in hpo("best", "job", "--format", "env", "--top", "9").out


def test_a_job_without_a_result_has_no_best(hpo: Hpo) -> None:
    hpo("run", "spec.yaml", "--name", "lost", "--set", "launcher.command=test 1 = 2", status=1)
    try:
        assert "no completed trial" in hpo("best", "lost", status=1).err
        assert hpo("status", "lost", "--json").json["best"] is None
    finally:
        hpo("delete", "lost", "--yes")


def test_the_gate_of_best(hpo: Hpo) -> None:
    hpo("best", "job", "--fail-if", "best > 12")
    failed = hpo("best", "job", "--fail-if", "best > 11", status=3)
    assert "best is 11.25" in failed.err
    assert "write it as 'best < 0.9'" in hpo("best", "job", "--fail-if", "loss > 1", status=2).err
