"""What several tests of the command line share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.ended_job import FIXED, KINDS, PROGRAM
from tests.command_line import Hpo


@pytest.fixture(scope="session")
def ended_job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hpo]:
    """The command line with one ended job: a grid of all kinds by two depths."""
    hpo = Hpo(tmp_path_factory.mktemp("ended"))
    hpo.job(
        PROGRAM,
        strategy="grid",
        metrics={"loss": r"loss=(\S+)", "epoch": r"epoch=(\S+)"},
        parameters={
            "kind": {"type": "categorical", "values": KINDS},
            "max-depth": {"type": "integer", "min": 1, "max": 2},
        },
        fixed=FIXED,
        limits={},
    )
    hpo("run", "spec.yaml")
    yield hpo
    hpo.kill()
