"""Storages that are opened with a password: it is in no spec, no store and no message."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import create_trial

from tests.command_line import Called, Hpo

HIDDEN = "s3cr3t"


def starting_with(hpo: Hpo, *parents: str) -> None:
    """Write a spec of a job that begins with these parents."""
    hpo.job("echo loss=0.5", warm_start={"type": "transfer", "parents": list(parents)})


def study(hpo: Hpo) -> None:
    """Make a storage with a study of one trial, beside the spec."""
    address = f"sqlite:///{hpo.folder}/study.db"
    storage = optuna.storages.RDBStorage(address)
    made = optuna.create_study(study_name="digits", storage=storage)
    made.add_trial(create_trial(params={"x": 0.25}, distributions={"x": FloatDistribution(0, 1)}, value=0.5))
    storage.remove_session()
    storage.engine.dispose()


def everything_kept(folder: Path) -> bytes:
    """Return all that lies below a folder."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (f"optuna:postgresql://me:{HIDDEN}@host/db#digits", "optuna:postgresql://me:***@host/db#digits"),
        (f"optuna:postgresql://me@there:{HIDDEN}@host/db", "optuna:postgresql://me@there:***@host/db"),
        (f"optuna:mysql+pymysql://:{HIDDEN}@host:3306/db#a@b", "optuna:mysql+pymysql://:***@b"),
        (f"optuna:postgresql://me:p@{HIDDEN}/1#{HIDDEN}@host/db", "optuna:postgresql://me:***@host/db"),
        (f"optuna:postgresql://host/db?user=me&password={HIDDEN}#d", "db?user=me&password=***#d"),
        (f"optuna:mssql+pyodbc:///?odbc_connect=UID%3Dme%3BPWD%3D{HIDDEN}", "UID%3Dme%3BPWD%3D***"),
        (f"optuna:postgresql//me:{HIDDEN}@host/db", "optuna:postgresql//me:***@host/db"),
        (f"postgresql://me:{HIDDEN}@host/db", "postgresql://me:***@host/db"),
    ],
)
@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_password_in_a_spec_is_refused_and_not_shown(
    hpo: Hpo, written: str, shown: str, command: str
) -> None:
    starting_with(hpo, written)
    said = hpo.refused(command, "spec.yaml")
    assert shown in said
    assert "write optuna:env:NAME#STUDY" in said
    assert HIDDEN not in said


def test_a_password_is_not_shown_where_a_parent_is_given_twice(hpo: Hpo) -> None:
    address = f"optuna:postgresql://me:{HIDDEN}@host/db"
    starting_with(hpo, address, address)
    said = hpo.refused("run", "spec.yaml")
    assert "given more than once: optuna:postgresql://me:***@host/db" in said
    assert HIDDEN not in said


@pytest.mark.parametrize(
    "written",
    [
        f'{{type: transfer, parents: ["optuna:postgresql://me:{HIDDEN}@host/db"]}}',
        f'{{type: transfer, parents: "optuna:postgresql://me:{HIDDEN}@host/db"}}',
        f'"optuna:postgresql://me:{HIDDEN}@host/db"',
    ],
)
@pytest.mark.parametrize("command", ["plan", "run", "try"])
def test_a_password_on_the_command_line_is_not_shown_again(hpo: Hpo, written: str, command: str) -> None:
    hpo.job("touch started")
    said = hpo.refused(command, "spec.yaml", "--set", f"warm_start={written}")
    assert "optuna:postgresql://me:***@host/db" in said
    assert HIDDEN not in said


def test_a_password_that_a_job_is_to_be_edited_with_is_not_shown(hpo: Hpo) -> None:
    hpo.job("echo loss=1")
    hpo("run", "spec.yaml")
    address = f"warm_start.parents=[optuna:postgresql://me:{HIDDEN}@host/db]"
    for command in ("edit", "resume"):
        said = hpo(command, "job", "--set", address, status=2).err
        assert "optuna:postgresql://me:***@host/db" in said
        assert HIDDEN not in said


def test_a_password_that_the_environment_puts_into_the_spec_is_refused(hpo: Hpo) -> None:
    starting_with(hpo, "optuna:postgresql://me:${PASSWORD}@host/db")
    said = hpo("run", "spec.yaml", status=2, env={"PASSWORD": HIDDEN}).err
    assert "optuna:postgresql://me:***@host/db" in said
    assert HIDDEN not in said


@pytest.mark.parametrize(
    "address", ["optuna:postgresql://me@host:5432/db#a@b", "optuna:mysql://host/db#a:b@c"]
)
def test_an_address_without_a_password_is_tried(hpo: Hpo, address: str) -> None:
    starting_with(hpo, address)
    assert "cannot be read" in hpo.refused("run", "spec.yaml")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("parent", ["optuna:env:STORAGE#digits", "optuna:env:STORAGE"])
def test_an_address_may_be_kept_in_a_variable(hpo: Hpo, parent: str) -> None:
    study(hpo)
    starting_with(hpo, parent)
    hpo("run", "spec.yaml", env={"STORAGE": "sqlite:///study.db"})
    (data,) = hpo("status", "job", "--json").json["warm_start"]
    assert (data["parent"], data["used"]) == (parent, 1)
    assert b"study.db" not in everything_kept(hpo.home)
    assert parent in hpo("copy", "job").out
    (hpo.folder / "study.db").unlink()
    hpo("resume", "job", "--set", "limits.max_jobs=4")


@pytest.mark.filterwarnings("ignore")
def test_a_password_that_an_older_hpo_has_stored_is_not_shown(hpo: Hpo) -> None:
    study(hpo)
    starting_with(hpo, "optuna:env:STORAGE#digits")
    hpo("run", "spec.yaml", env={"STORAGE": "sqlite:///study.db"})
    stored, address = hpo.home / "jobs" / "job", f"optuna:postgresql://me:{HIDDEN}@host/db#digits"
    spec = (stored / "spec.yaml").read_text().replace("optuna:env:STORAGE#digits", address)
    (stored / "spec.yaml").write_text(spec)
    with closing(sqlite3.connect(stored / "job.db")) as db, db:
        db.execute("update parent set name = ?, report = replace(report, name, ?)", [address, address])
    for command in (["status", "job"], ["status", "job", "--json"], ["copy", "job"]):
        shown = hpo(*command).out
        assert "optuna:postgresql://me:***@host/db#digits" in shown
        assert HIDDEN not in shown


def test_the_folder_of_a_parent_may_be_called_like_a_password(hpo: Hpo) -> None:
    starting_with(hpo, "old/pwd=3/job")
    assert "old/pwd=3/job is no job's folder" in hpo.refused("run", "spec.yaml")


def told(hpo: Hpo, address: str) -> Called:
    starting_with(hpo, "optuna:env:STORAGE#digits")
    return hpo("run", "spec.yaml", status=2, env={"STORAGE": address})


def test_nothing_is_told_of_an_address_that_cannot_be_opened(hpo: Hpo) -> None:
    for address, words in {
        f"postgresql://me:{HIDDEN}@127.0.0.1:1/db": "the storage env:STORAGE cannot be read",
        f"nothing://me:{HIDDEN}@host/db": "the storage env:STORAGE cannot be read",
        f"postgresql://me:{HIDDEN}@host:{HIDDEN}/db": "the storage env:STORAGE cannot be read",
        f"postgresql//me:{HIDDEN}@host/db": "the variable STORAGE holds no storage's address",
        HIDDEN: "the variable STORAGE holds no storage's address",
    }.items():
        said = told(hpo, address).err
        assert words in said
        assert HIDDEN not in said
    starting_with(hpo, "optuna:env:STORAGE#digits")
    assert "the variable STORAGE is not set" in hpo.refused("run", "spec.yaml")
