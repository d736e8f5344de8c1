"""The effective spec as text: the same values again, as a person would write them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hpo.spec.document import Document
from hpo.spec.nodes import Plain

Read = Callable[..., Document]


WORDS = "on no 1e-4 1_000 0x1f 010 0o17 2024-01-01 1:30 .inf -.INF .NaN nan null TRUE ~ +.5 5. - ?"
SIGNS = "# ' \" \\ *a &a !a | > % @ ` [ << = ${A} $${ $$${A} - ? \x85 \u2028 \ufeff"
AWKWARD = [
    *WORDS.split(" "),
    *SIGNS.split(" "),
    *["", " a ", "\t", "\n", "a\n\n b\n", "- a", "a: b", "x #y", "{a: 1}", "--- a"],
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    | st.sampled_from(AWKWARD)
)
KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200).filter(
    lambda key: key != "<<"
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("merged")


@example({"${": {}})
@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=5))
def test_the_merged_text_reads_back_as_the_same_values(folder: Path, spec: dict[str, Plain]) -> None:
    first = Document.read([_written(folder / "first.yaml", spec)], environment={})
    assert repr(first.value()) == repr(spec)  # repr tells 1 from 1.0 and true, and 0.0 from -0.0
    second = folder / "second.yaml"
    second.write_text(first.merged(), encoding="utf-8")
    again = Document.read([second], environment={})
    assert repr(again.value()) == repr(spec)
    assert again.digest() == first.digest()


def _written(path: Path, spec: dict[str, Plain]) -> Path:
    """Write a spec with a YAML writer of our own: everything quoted, or resolved by its canonical form."""
    path.write_text(_flow(spec), encoding="utf-8")
    return path


def _flow(value: Plain) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case float():
            return {"inf": ".inf", "-inf": "-.inf"}.get(repr(value), repr(value))
        case str():
            escaped = value.replace("${", "$${")
            return '"' + "".join(f"\\U{ord(character):08x}" for character in escaped) + '"'
        case list():
            return f"[{', '.join(map(_flow, value))}]"
        case dict():
            return f"{{{', '.join(f'{_key(key)} : {_flow(item)}' for key, item in value.items())}}}"


def _key(key: str) -> str:
    return "? " + '"' + "".join(f"\\U{ord(character):08x}" for character in key) + '"'


def test_the_merged_text_is_written_as_a_person_would(read: Read, text: str) -> None:
    document = read(text, overrides=("limits.max_jobs=7",), environment={})
    assert document.merged() == (
        "name: digits\n"
        "objective: {metric: f1, goal: maximize}\n"
        "metrics: {f1: 'f1: (\\S+)'}\n"
        "parameters:\n"
        "  depth: {type: integer, min: 1, max: 8}\n"
        "limits: {max_jobs: 7}\n"
        "launcher:\n"
        "  command: [python, train.py]\n"
    )


def test_the_digest_tells_contents_not_form(read: Read, text: str) -> None:
    digest = read(text).digest()
    lines = text.splitlines(keepends=True)
    assert read("# comment\n" + "".join(reversed(lines[5:])) + "".join(lines[:5])).digest() == digest
    assert read(text, overrides=("limits.max_jobs=${N:-5}",)).digest() == digest
    assert read(text, overrides=("limits.max_jobs=6",)).digest() != digest
    assert read(text, overrides=("limits.max_jobs=5.0",)).digest() != digest
    assert read(text, overrides=("limits.max_jobs=6",)).digest(without={"limits"}) == read(text).digest(
        without={"limits"}
    )
