"""Every file under valid/ is a spec; every one under invalid/ is refused with the text beside it."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from hpo.errors import SpecError
from hpo.spec.document import Document
from hpo.spec.load import schema, spec_of

HERE = Path(__file__).parent
VALID = sorted((HERE / "valid").glob("*.yaml"))
INVALID = sorted((HERE / "invalid").glob("*.yaml"))


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_file_is_a_spec_of_the_schema(path: Path) -> None:
    document = Document.read([path])
    spec = spec_of(document)
    document.raise_problems()
    assert spec is not None
    assert len(spec.space()) == len(spec.parameters)
    Draft202012Validator(schema()).validate(
        {key: value for key, value in _mapping(document).items() if value is not None}
    )


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_the_merged_text_of_a_valid_file_is_the_same_spec(path: Path, tmp_path: Path) -> None:
    document = Document.read([path])
    copy = tmp_path / "spec.yaml"
    copy.write_text(document.merged(), encoding="utf-8")
    again = Document.read([copy])
    assert again.value() == document.value()
    assert again.digest() == document.digest()
    assert spec_of(again) == spec_of(document)


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_an_invalid_file_is_refused_with_its_text(path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        _load(path)
    found = "\n".join(str(problem) for problem in caught.value.problems).replace(str(path), path.name)
    assert found == path.with_suffix(".txt").read_text(encoding="utf-8").rstrip("\n")


def test_every_text_has_its_file() -> None:
    assert {path.stem for path in (HERE / "invalid").glob("*.txt")} == {path.stem for path in INVALID}


def _load(path: Path) -> None:
    document = Document.read([path])
    spec_of(document)
    document.raise_problems()


def _mapping(document: Document) -> dict[str, object]:
    value = document.value()
    assert isinstance(value, dict)
    return {**value}
