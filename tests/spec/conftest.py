from collections.abc import Callable
from pathlib import Path

import pytest

from hpo.errors import SpecError
from hpo.spec.document import Document
from hpo.spec.load import spec_of
from hpo.spec.models import Spec

SPEC = """\
name: digits
objective: {metric: f1, goal: maximize}
metrics: {f1: 'f1: (\\S+)'}
parameters:
  depth: {type: integer, min: 1, max: 8}
limits: {max_jobs: 5}
launcher: {command: [python, train.py]}
"""

Read = Callable[..., Document]
Load = Callable[..., Spec]
Refuse = Callable[..., list[str]]


@pytest.fixture
def text() -> str:
    """A spec without mistakes."""
    return SPEC


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read texts as a spec and its overlays: tune.yaml, overlay-1.yaml, …"""

    def read(
        *texts: str | bytes, overrides: tuple[str, ...] = (), environment: dict[str, str] | None = None
    ) -> Document:
        paths = []
        for number, content in enumerate(texts):
            path = tmp_path / (f"overlay-{number}.yaml" if number else "tune.yaml")
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            paths.append(path)
        return Document.read(paths, overrides=overrides, environment=environment or {})

    return read


@pytest.fixture
def load(read: Read) -> Load:
    """Read texts as a spec that has no mistakes."""

    def load(
        *texts: str | bytes, overrides: tuple[str, ...] = (), environment: dict[str, str] | None = None
    ) -> Spec:
        document = read(*texts, overrides=overrides, environment=environment)
        spec = spec_of(document)
        document.raise_problems()
        assert spec is not None
        return spec

    return load


@pytest.fixture
def refuse(load: Load, tmp_path: Path) -> Refuse:
    """Read texts as a spec that has mistakes, and return these, without the folder's path."""

    def refuse(
        *texts: str | bytes, overrides: tuple[str, ...] = (), environment: dict[str, str] | None = None
    ) -> list[str]:
        with pytest.raises(SpecError) as caught:
            load(*texts, overrides=overrides, environment=environment)
        return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]

    return refuse
