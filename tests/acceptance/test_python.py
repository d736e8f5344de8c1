"""The Python interface: the same job as the command line's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import hpo
from hpo.errors import JobExists, JobNotFound

SPEC: dict[str, object] = {
    "name": "job",
    "seed": 1,
    "strategy": "random",
    "objective": {"metric": "loss", "goal": "minimize"},
    "metrics": {"loss": r"loss=(\S+)"},
    "parameters": {"x": {"type": "integer", "min": 1, "max": 50}},
    "limits": {"max_jobs": 3},
    "launcher": {"command": ["sh", "-c", "echo loss=$HPO_TRIAL"]},
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HPO_HOME", str(tmp_path / "state"))
    return tmp_path


def test_a_job_is_tuned_and_its_best_is_found() -> None:
    result = hpo.tune(SPEC)
    assert (result.status, result.job) == ("completed", "job")
    assert result.best == hpo.best("job")
    assert result.best is not None
    assert (result.best.trial, result.best.value) == (1, 1.0)
    with pytest.raises(JobExists):
        hpo.tune(SPEC)
    assert hpo.tune(SPEC, resume=True).best == result.best


def test_a_job_is_tuned_where_an_event_loop_runs() -> None:
    async def within() -> hpo.Result:
        return hpo.tune(SPEC)

    assert asyncio.run(within()).status == "completed"


def test_a_spec_is_loaded_with_overlays_and_overrides(home: Path) -> None:
    (home / "smoke.yaml").write_text("limits: {max_jobs: 2}\n", encoding="utf-8")
    spec = hpo.load_spec(SPEC, home / "smoke.yaml", overrides=["name=other"])
    assert (spec.spec.name, spec.spec.limits.max_jobs) == ("other", 2)


def test_mistakes_are_errors_of_hpo() -> None:
    with pytest.raises(hpo.SpecError, match="did you mean `parameters`"):
        hpo.load_spec({**SPEC, "paramters": {}})
    with pytest.raises(JobNotFound):
        hpo.best("missing")
