from __future__ import annotations

from pathlib import Path

import pytest

from hpo.errors import UsageError
from hpo.launchers import registry
from hpo.launchers.launcher import JobContext
from hpo.launchers.process.launcher import ProcessLauncher
from hpo.launchers.process.options import ProcessOptions


def test_a_kind_has_a_model_and_a_launcher(tmp_path: Path) -> None:
    assert "process" in registry.names()
    assert registry.options_model("process") is ProcessOptions
    options = ProcessOptions(command=["true"])
    assert isinstance(
        registry.build("process", JobContext("job", tmp_path, tmp_path, tmp_path), options), ProcessLauncher
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("proces", "did you mean `process`?"),
        ("kubernetes", "there are: process"),
    ],
)
def test_an_unknown_kind_is_refused(kind: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        registry.options_model(kind)
