"""An Optuna study as a parent of a job."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from hpo.core.prior import Kind, Parent, PastTrial
from hpo.core.settings import Goal
from hpo.errors import UsageError
from hpo.passwords import passwords_of
from hpo.spec.paths import expanded
from hpo.spec.space import Scalar
from hpo.spec.warm_start import SQLITE, VARIABLE

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.storages import BaseStorage


def read_study(address: str, name: str, base: Path) -> Parent:
    """Read the study at STORAGE_URL#STUDY, or the only one of a storage. Raises UsageError.

    Without a scheme the storage is a journal file. env:NAME in the place of the URL is the one that the
    variable NAME holds, of which nothing is told. Relative paths count from `base`. Nothing is written.
    """
    import optuna
    from optuna.trial import TrialState

    url, _, wanted = address.partition("#")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            storage = _storage(_address(url), base)
            chosen = _chosen(wanted, [study.study_name for study in storage.get_all_studies()], url)
            study = optuna.load_study(study_name=chosen, storage=storage)
            directions, trials = study.directions, study.get_trials(deepcopy=False)
            if isinstance(storage, optuna.storages.RDBStorage):
                storage.remove_session()
                storage.engine.dispose()
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001 -- a storage raises what its database does
        why = getattr(error.__cause__, "orig", None) or error  # Optuna's own words guess at the reason
        told = _without_secrets(str(why), url)
        raise UsageError(f"the storage {url} cannot be read: {' '.join(told.split())}") from None
    if len(directions) != 1:
        raise UsageError(f"the study {chosen} has {len(directions)} objectives, and a job has one")
    goal = Goal.MAXIMIZE if directions[0] is optuna.study.StudyDirection.MAXIMIZE else Goal.MINIMIZE
    past, kinds, failed = [], dict[str, Kind](), 0
    for trial in trials:
        kinds |= {name: _kind(distribution) for name, distribution in trial.distributions.items()}
        failed += trial.state is TrialState.FAIL
        if trial.state is TrialState.COMPLETE and trial.value is not None and math.isfinite(trial.value):
            params: dict[str, Scalar] = {**trial.params}
            past.append(PastTrial(chosen, trial.number, params, trial.value))
    unfinished = len(trials) - len(past) - failed
    return Parent(name, tuple(past), failed, unfinished, goal=goal, kinds=kinds)


def _kind(distribution: BaseDistribution) -> Kind:
    from optuna.distributions import CategoricalDistribution, IntDistribution

    match distribution:
        case CategoricalDistribution():
            return Kind.CATEGORICAL
        case IntDistribution():
            return Kind.INTEGER
        case _:
            return Kind.CONTINUOUS


def _chosen(wanted: str, known: list[str], url: str) -> str:
    if wanted in known:
        return wanted
    if not wanted and len(known) == 1:
        return known[0]
    listed = f"its studies are: {', '.join(known)}" if known else "it has none"
    if not wanted:
        raise UsageError(f"the storage {url} has {len(known)} studies; add #STUDY: {listed}")
    raise UsageError(f"the storage {url} has no study {wanted}; {listed}")


def _address(url: str) -> str:
    """Return a storage's address, which a variable may hold. Raises UsageError where it holds none."""
    if not url.startswith(VARIABLE):
        return url
    name = url.removeprefix(VARIABLE)
    if name not in os.environ:
        raise UsageError(f"the variable {name} is not set, which is to hold the storage's address")
    if "://" not in os.environ[name]:
        raise UsageError(
            f"the variable {name} holds no storage's address, which is like "
            "postgresql://USER:PASSWORD@HOST/DATABASE"
        )
    return os.environ[name]


def _without_secrets(text: str, url: str) -> str:
    """Return what a database says without the password that is in the address of a variable."""
    if not url.startswith(VARIABLE):
        return text
    address = os.environ[url.removeprefix(VARIABLE)]
    for password in passwords_of(address):
        text = text.replace(password, "***").replace(unquote(password), "***")
    return text


def _storage(url: str, base: Path) -> BaseStorage:
    """Open a storage that is there already, to read it."""
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    if url.startswith(SQLITE):
        return RDBStorage(f"{SQLITE}{_existing(url.removeprefix(SQLITE), base)}", skip_table_creation=True)
    if "://" in url:
        return RDBStorage(url, skip_table_creation=True)
    return JournalStorage(JournalFileBackend(str(_existing(url, base))))


def _existing(path: str, base: Path) -> Path:
    """Return the path of a storage's file: Optuna would make one where none is."""
    file = base / expanded(path)
    if not file.is_file():
        raise UsageError(f"there is no such file: {file}; write optuna:sqlite:///study.db#STUDY")
    return file
