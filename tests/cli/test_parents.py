"""What may be a parent: a folder, a table, an Optuna study, a tuning job of SageMaker's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Literal

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState, create_trial

from tests.command_line import Hpo

PARAMETERS: dict[str, Any] = {
    "rate": {"type": "continuous", "min": 0.001, "max": 1.0},
    "width": {"type": "integer", "min": 1, "max": 128},
    "kind": {"type": "categorical", "values": ["a", 64, True]},
}


def spec(hpo: Hpo, parent: str, kind: str = "transfer", **sections: object) -> None:
    given: dict[str, object] = {
        "strategy": "bayesian",
        "parameters": PARAMETERS,
        "warm_start": {"type": kind, "parents": [parent]},
    }
    hpo.job("echo loss=9", **{**given, **sections})


def ran(hpo: Hpo) -> dict[str, Any]:
    """Run the job and return what it says of its parent."""
    hpo("run", "spec.yaml")
    (data,) = hpo("status", "job", "--json").json["warm_start"]
    assert isinstance(data, dict)
    return data


def began(hpo: Hpo) -> dict[str, Any]:
    found: dict[str, Any] = hpo("trials", "job", "--json").json[0]["parameters"]
    return found


TABLE = """\
trial,status,rate,width,kind,value,note
1,completed,0.5,64.0,64,0.25,x
2,completed,1e-2,3,true,0.125,x
3,failed,0.5,3,a,,x
4,pruned,0.5,3,a,0.5,x
5,completed,0.5,,a,0.5,x
6,completed,0.5,200,a,0.75,x
7,completed,0.5,3,b,0.9,x
8,completed,0.5,3,a,nan,x
"""


def test_a_csv_table_is_typed_by_the_space(hpo: Hpo) -> None:
    hpo.write("known.csv", TABLE)
    spec(hpo, "known.csv")
    data = ran(hpo)
    assert {key: value for key, value in data.items() if value not in (0, [], {})} == {
        "parent": "known.csv",
        "algorithm": None,
        "type": "transfer",
        "trials": 8,
        "used": 3,
        "failed": 1,
        "unfinished": 2,
        "out_of_range": 2,
        "lacked": {"width": 8},  # the middle, as the range is wide
        "outside": {"width": 1, "kind": 1},
    }
    assert json.dumps(began(hpo)) == '{"rate": 0.01, "width": 3, "kind": true}'


@pytest.mark.parametrize("column", ["value", "loss", "FinalObjectiveValue"])
@pytest.mark.parametrize("is_json", [False, True])
def test_the_objective_has_a_column_of_one_of_these_names(hpo: Hpo, column: str, is_json: bool) -> None:
    rows = [{"rate": 0.5, "width": 7, "kind": "a", column: value} for value in (0.5, 0.25)]
    text = f"rate,width,kind,{column}\n0.5,7,a,0.5\n0.5,7,a,0.25\n"
    name = "known.json" if is_json else "known.csv"
    hpo.write(name, json.dumps(rows) if is_json else text)
    spec(hpo, name, "identical")
    assert ran(hpo)["used"] == 2
    best = hpo("best", "job", "--json").json
    assert (best["value"], best["origin"], best["trial"]) == (0.25, "known", 2)
    assert best["parameters"] == {"rate": 0.5, "width": 7, "kind": "a"}


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffrate;width;kind;value\r\n0.5;7;a;0.25\r\n",
        "rate\twidth\tkind\tvalue\n0.5\t7\ta\t0.25\n",
        "rate,width,kind,value\r0.5,7,a,0.25\r",
        "rate, width, kind, value\n0.5, 7, a, 0.25, ,\n",
        'rate,width,kind,value,note\n0.5,7,a,0.25,"first\u2028line\nand more"\n',
    ],
    ids=["semicolons", "tabs", "returns", "spaces", "lines"],
)
def test_tables_are_read_as_other_programs_write_them(hpo: Hpo, text: str) -> None:
    hpo.write("known.csv", text)
    spec(hpo, "known.csv", "identical")
    assert ran(hpo)["used"] == 1
    assert hpo("best", "job", "--json").json["parameters"] == {"rate": 0.5, "width": 7, "kind": "a"}


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_table_of_another_job_is_a_parent(hpo: Hpo, form: str) -> None:
    hpo.job("echo loss=$HPO_TRIAL", name="first", strategy="random", parameters=PARAMETERS)
    hpo("run", "spec.yaml")
    hpo("trials", "first", "--format", form, "--output", f"first.{form}")
    spec(hpo, f"./first.{form}", "identical")
    assert ran(hpo)["used"] == 3
    best = hpo("best", "job", "--json").json
    assert (best["value"], best["origin"]) == (1.0, "first")
    assert json.dumps(best["parameters"]) == json.dumps(hpo("best", "first", "--json").json["parameters"])


def test_a_table_tells_a_value_of_null_from_a_parameter_that_is_not_active(hpo: Hpo) -> None:
    parameters = {
        "kind": {"type": "categorical", "values": [None, "a", True]},
        "depth": {"type": "categorical", "values": [None, 4], "when": {"kind": ["a"]}},
    }
    hpo.job("echo loss=$HPO_TRIAL", name="first", strategy="grid", parameters=parameters, limits={})
    hpo("run", "spec.yaml")
    hpo("trials", "first", "--format", "csv", "--output", "first.csv")
    start = {"type": "identical", "parents": ["first.csv"]}
    hpo.job("echo loss=9", parameters=parameters, warm_start=start)
    hpo("run", "spec.yaml")
    (data,) = hpo("status", "job", "--json").json["warm_start"]
    assert (data["trials"], data["used"], data["lacked"]) == (4, 4, {})
    for best in (hpo("best", name, "--top", "4", "--json").json for name in ("first", "job")):
        assert [trial["parameters"] for trial in best] == [
            {"kind": None},
            {"kind": "a", "depth": None},
            {"kind": "a", "depth": 4},
            {"kind": True},
        ]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "t.csv",
            "rate,score\n1,2\n",
            "no column with the objective's value, `loss` or `value`; its columns",
        ),
        ("t.csv", "", "t.csv has no rows"),
        ("t.csv", "rate,value\n1,2\nfast,2\n", "t.csv:3: `rate` is 'fast', which is no number"),
        ("t.csv", "rate,value\n1,good\n", "t.csv:2: `value` is 'good', which is no number"),
        ("t.csv", "rate,value,rate\n1,2,3\n", "t.csv has 2 columns `rate`; leave one, or rename others"),
        ("t.csv", "rate,value\n0.5,2\n0.5,2,3\n", "t.csv:3: it has more cells than there are columns, 2"),
        ("t.csv", f"rate,value,note\n0.5,2,{'x' * 200_000}\n", "t.csv is no CSV: field larger than"),
        ("t.csv", "rate;value\n0,5;2\n", "t.csv:2: `rate` is '0,5', which is no number"),
        ("t.json", "{", "t.json is not JSON"),
        ("t.json", '{"rate": 1}', "t.json must be a list of mappings"),
        ("t.json", "[]", "t.json has no rows"),
        ("other", "", "is no job's folder"),
        ("./none.csv", None, "none.csv cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_read_is_told(hpo: Hpo, name: str, text: str | None, words: str) -> None:
    if text is not None:
        hpo.write(name, text)
    spec(hpo, f"./{name.removeprefix('./')}")
    said = hpo.refused("run", "spec.yaml")
    assert words in said
    assert "spec.yaml:" in said


def test_a_copied_folder_is_a_parent_and_nothing_is_left_of_it_to_need(hpo: Hpo, tmp_path: Path) -> None:
    hpo.job("echo loss=$HPO_TRIAL", name="first", strategy="random", parameters=PARAMETERS)
    hpo("run", "spec.yaml")
    shutil.copytree(hpo.home / "jobs" / "first", tmp_path / "kept" / "old")
    hpo("delete", "first", "--yes")
    spec(hpo, "kept/old", "identical")
    assert ran(hpo)["used"] == 3
    shutil.rmtree(tmp_path / "kept")
    assert hpo("best", "job", "--json").json["origin"] == "old"
    hpo("resume", "job", "--set", "limits.max_jobs=5")
    assert len(hpo("trials", "job", "--json").json) == 5


DISTRIBUTIONS: dict[str, optuna.distributions.BaseDistribution] = {
    "rate": FloatDistribution(0.001, 1.0, log=True),
    "width": IntDistribution(1, 256),
    "kind": CategoricalDistribution(["a", 64, True]),
}


def study(
    storage: Any, name: str = "digits", direction: Literal["minimize", "maximize"] = "minimize"
) -> None:
    made = optuna.create_study(study_name=name, storage=storage, direction=direction)
    for width, value in ((7, 0.25), (200, 0.5)):
        params = {"rate": 0.5, "width": width, "kind": True}
        made.add_trial(create_trial(params=params, distributions=DISTRIBUTIONS, value=value))
    made.add_trial(create_trial(state=TrialState.FAIL))
    made.add_trial(create_trial(state=TrialState.PRUNED))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("address", ["optuna:sqlite:///study.db#digits", "optuna:sqlite:///study.db"])
def test_an_optuna_study_is_a_parent(hpo: Hpo, address: str) -> None:
    storage = optuna.storages.RDBStorage(f"sqlite:///{hpo.folder}/study.db")
    study(storage)
    storage.remove_session()
    storage.engine.dispose()
    before = (hpo.folder / "study.db").read_bytes()
    spec(hpo, address)
    data = ran(hpo)
    counts = [data[key] for key in ("trials", "used", "out_of_range", "failed", "unfinished")]
    assert counts == [4, 1, 1, 1, 1]
    assert json.dumps(began(hpo)) == '{"rate": 0.5, "width": 7, "kind": true}'
    assert (hpo.folder / "study.db").read_bytes() == before


@pytest.mark.filterwarnings("ignore")
def test_a_study_in_a_journal_is_a_parent(hpo: Hpo) -> None:
    study(JournalStorage(JournalFileBackend(str(hpo.folder / "journal.log"))))
    spec(hpo, "optuna:journal.log#digits", "identical")
    assert ran(hpo)["used"] == 1
    assert hpo("best", "job", "--json").json["origin"] == "digits"


@pytest.mark.filterwarnings("ignore")
def test_studies_that_cannot_be_parents_are_told(hpo: Hpo) -> None:
    storage = optuna.storages.RDBStorage(f"sqlite:///{hpo.folder}/study.db")
    study(storage, "one", "maximize")
    study(storage, "two")
    storage.engine.dispose()
    hpo.write("text.db", "no database")
    for address, words in {
        "optuna:sqlite:///study.db": "has 2 studies; add #STUDY: its studies are: one, two",
        "optuna:sqlite:///study.db#three": "has no study three; its studies are: one, two",
        "optuna:sqlite:///study.db#one": "its goal was to maximize, and this job's is to minimize",
        "optuna:sqlite:///none.db#one": "there is no such file",
        "optuna:none.log": "there is no such file",
        "optuna:nothing://x#y": "the storage nothing://x cannot be read",
        "optuna:sqlite:///text.db": "the storage sqlite:///text.db cannot be read: file is not a database",
    }.items():
        spec(hpo, address)
        assert words in hpo.refused("run", "spec.yaml")
    assert not (hpo.folder / "none.db").exists()


def test_a_copied_spec_finds_its_parents_from_anywhere(hpo: Hpo) -> None:
    hpo.write("known.csv", TABLE)
    spec(hpo, "known.csv")
    hpo("run", "spec.yaml")
    (hpo.folder / "there").mkdir()
    hpo("copy", "job", "--name", "again", "-o", "there/again.yaml")
    assert f"{hpo.folder}/known.csv" in hpo.text("there/again.yaml")
    hpo("run", "there/again.yaml")
