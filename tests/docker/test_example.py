"""Trials in containers give what the same trials give as processes."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import PATIENCE, Hpo
from tests.docker_engine import IMAGE

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "examples" / "quickstart" / "tune.yaml"
OVERLAY = ROOT / "configs" / "docker.yaml"

LOSS = """
while [ $# -gt 0 ]; do
  case $1 in --depth) depth=$2 ;; --width) width=$2 ;; --kind) kind=$2 ;; esac
  shift 2
done
loss=$(( (depth - 17) * (depth - 17) + (width - 400) * (width - 400) / 64 ))
[ "$kind" = good ] || loss=$(( loss + 50 ))
echo "loss=$loss"
"""
"""Whole numbers all through: the same loss on whatever machine."""

SPACE = {
    "depth": {"type": "integer", "min": 1, "max": 40},
    "width": {"type": "integer", "min": 8, "max": 2000, "scaling": "logarithmic"},
    "rate": {"type": "continuous", "min": 1e-4, "max": 1.0, "scaling": "logarithmic"},
    "kind": {"type": "categorical", "values": ["good", "bad", "worse"]},
}


@pytest.mark.docker
def test_a_model_learns_the_same_from_containers_as_from_processes(hpo: Hpo) -> None:
    limits = {"max_jobs": 12, "max_parallel_jobs": 1}
    hpo.job(LOSS, strategy="bayesian", seed=3, parameters=SPACE, limits=limits)
    overlay = hpo.write(
        "docker.yaml",
        f"launcher: {{kind: docker, image: '{IMAGE}', workdir: /app, network: none, pull: never, "
        "mounts: ['./train.sh:/app/train.sh:ro']}\n",
    )
    hpo("run", "spec.yaml", "--name", "processes")
    hpo("run", "spec.yaml", "-c", overlay, "--name", "containers")
    outcomes = _outcomes(hpo, "processes")
    assert _outcomes(hpo, "containers") == outcomes
    assert len(outcomes) == limits["max_jobs"]
    assert _chosen_by(hpo, "containers")["model"] > 0


@pytest.mark.docker
@pytest.mark.slow
def test_the_quickstart_gives_the_same_in_containers_as_in_processes(hpo: Hpo) -> None:
    sizes = ("--set", "limits.max_jobs=12", "--set", "limits.max_parallel_jobs=1")
    here = json.dumps([sys.executable, "train.py"])
    _run(hpo, QUICKSTART, *sizes, "--set", f"launcher.command={here}", "--name", "processes")
    _run(hpo, QUICKSTART, *sizes, "-c", OVERLAY, *_same_packages(), "--name", "containers")
    processes, containers = _outcomes(hpo, "processes"), _outcomes(hpo, "containers")
    assert all(outcome["status"] == "completed" for outcome in containers)
    assert _chosen_by(hpo, "containers")["model"] > 0
    if _same_packages():
        assert containers == processes
    random = _chosen_by(hpo, "containers")["random"]
    assert _tried(containers[:random]) == _tried(processes[:random])


def _same_packages() -> Sequence[str]:
    """Return what puts into the image what is installed here; nothing where its Python is another one."""
    if sys.version_info[:2] != (3, 11):
        return ()
    packages = " ".join(f"{name}=={version(name)}" for name in ("scikit-learn", "scipy", "numpy"))
    return ("--set", f"launcher.build.args.PACKAGES={packages}")


def _run(hpo: Hpo, *args: str | Path) -> None:
    """Run a job that takes long: its image is built, and its trials train."""
    process = hpo.start("run", *args)
    assert process.wait(2 * PATIENCE) == 0, hpo.text("err")


def _outcomes(hpo: Hpo, job: str) -> list[dict[str, Any]]:
    """Return what each trial tried, and what came of it."""
    kept = ("trial", "status", "reason", "value", "parameters", "metrics")
    return [{key: trial[key] for key in kept} for trial in hpo("trials", job, "--json").json]


def _tried(outcomes: Sequence[dict[str, Any]]) -> list[Any]:
    return [outcome["parameters"] for outcome in outcomes]


def _chosen_by(hpo: Hpo, job: str) -> dict[str, int]:
    chosen: dict[str, int] = hpo("status", job, "--json").json["chosen_by"]
    return chosen
