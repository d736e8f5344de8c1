"""What is asked of SageMaker, to the letter: each file in `requests` is a launcher's options and the body."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from hpo.launchers.sagemaker.options import SageMakerOptions
from tests.sagemaker.test_request import assert_sent, body_of

GOLDEN = sorted(Path(__file__).with_name("requests").glob("*.json"))

NOT_ASKED_OF_SAGEMAKER = {
    *("region", "profile", "endpoint", "poll", "requests_per_second", "prices"),  # about asking AWS
    *("role", "output", "source_dir", "requirements"),  # resolved before there is a body
    *("env_from", "env_from.env", "env_from.file"),
}


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_the_body_of_each_option(golden: Path) -> None:
    known = json.loads(golden.read_text(encoding="utf-8"))
    body = body_of(known["launcher"], job=known.get("job"))
    assert body == known["body"]
    assert_sent(body)


def test_every_option_is_in_one_of_the_bodies() -> None:
    seen: set[str] = set()
    for golden in GOLDEN:
        seen |= set(places(json.loads(golden.read_text(encoding="utf-8"))["launcher"]))
    assert options_of(SageMakerOptions) - seen - NOT_ASKED_OF_SAGEMAKER == set()


def options_of(section: type[BaseModel], path: str = "") -> set[str]:
    """Return the dotted keys of a section and of those in it; `*` stands for the name of a channel."""
    found: set[str] = set()
    for name, field in section.model_fields.items():
        found |= {f"{path}{name}"}
        between = ".*." if name == "channels" else "."
        for inner in sections_in(field.annotation):
            found |= options_of(inner, f"{path}{name}{between}")
    return found


def sections_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from sections_in(inner)


def places(options: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield the dotted keys that are given, as `options_of` has them."""
    for name, value in options.items():
        yield f"{path}{name}"
        inner = value.values() if name == "channels" else value if isinstance(value, list) else [value]
        between = ".*." if name == "channels" else "."
        for each in inner:
            if isinstance(each, Mapping) and name not in {"env", "tags"}:
                yield from places(each, f"{path}{name}{between}")


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_no_option_of_a_body_is_dropped(golden: Path) -> None:
    """Without any one of its options a body is another one, or the others make no sense."""
    known = json.loads(golden.read_text(encoding="utf-8"))
    for name in known["launcher"].keys() - NOT_ASKED_OF_SAGEMAKER:
        without = {key: value for key, value in known["launcher"].items() if key != name}
        try:
            body = body_of(without, job=known.get("job"))
        except ValidationError:
            continue
        assert body != known["body"], f"{name} is without effect"
