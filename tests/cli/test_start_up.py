"""Commands that only look import nothing that is slow to import, and a plan no model."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.command_line import Hpo

SLOW = {"optuna", "numpy", "scipy", "pandas", "sqlalchemy", "boto3", "docker", "torch", "pydantic", "rich"}

IMPORTED = """
import json, sys
from hpo.cli.main import main
try:
    main()
except SystemExit as end:
    assert end.code == 0, end.code
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def hpo(shared_hpo: Hpo) -> Hpo:
    """The command line with one ended job."""
    shared_hpo.job("echo loss=1")
    shared_hpo("run", "spec.yaml")
    return shared_hpo


@pytest.mark.parametrize(
    "command",
    [
        "--help",
        "--version",
        "status job",
        "status job --json",
        "best job",
        "best job --json",
        "best job --format args",
        "trials job",
        "trials job --format csv",
        "list",
        "logs job 1",
        "wait job",
    ],
)
def test_looking_imports_nothing_slow(hpo: Hpo, command: str) -> None:
    imported, out = packages(hpo, command)
    assert imported & SLOW == set()
    assert out or command == "wait job"


def test_a_plan_imports_no_model(hpo: Hpo) -> None:
    """The first trials, which it shows, are chosen without one."""
    imported, out = packages(hpo, "plan spec.yaml --set strategy=bayesian --set limits.max_jobs=50")
    assert imported & {"numpy", "scipy"} == set()
    assert "random start 1 of 8" in out


def packages(hpo: Hpo, command: str) -> tuple[set[str], str]:
    """Return what a command imports, and its output."""
    ran = subprocess.run(
        [sys.executable, "-c", IMPORTED, *command.split()],
        cwd=hpo.folder,
        env=hpo.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = json.loads(ran.stderr.splitlines()[-1])
    return {name.partition(".")[0] for name in imported}, ran.stdout
