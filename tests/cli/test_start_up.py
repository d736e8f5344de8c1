"""Commands that only look import nothing that is slow to import."""

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
    ran = subprocess.run(
        [sys.executable, "-c", IMPORTED, *command.split()],
        env=hpo.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = json.loads(ran.stderr.splitlines()[-1])
    assert {name.partition(".")[0] for name in imported} & SLOW == set()
    assert ran.stdout or command == "wait job"
