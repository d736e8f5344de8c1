"""The parameters that all trials of a job share."""

from __future__ import annotations

import os

from hpo.errors import HpoError
from hpo.report.data import JobView
from hpo.spec.space import Scalar
from hpo.store.home import SPEC


def fixed_values(job: JobView, algorithm: str | None = None) -> dict[str, Scalar]:
    """Return the parameters that every trial of the job, or of one algorithm, is given as they are.

    Raises HpoError where the job's spec cannot be read.
    """
    from hpo.spec.environment import expand
    from hpo.spec.nodes import Plain, find, plain
    from hpo.spec.reader import Unreadable, read_file

    problems: list[str] = []
    try:
        root, unread = read_file(job.folder / SPEC)
    except Unreadable as error:
        raise HpoError(f"the job's spec cannot be read: {error}") from None
    expanded = expand(root, os.environ, lambda _, message, __: problems.append(message))
    problems += map(str, unread)
    if problems:
        raise HpoError(f"the job's spec, {job.folder / SPEC}, cannot be read: {'; '.join(problems)}")
    given: dict[str, Plain] = {}
    for path in [("fixed",), *([("algorithms", algorithm, "fixed")] if algorithm is not None else [])]:
        section = find(expanded, path)
        values = plain(section) if section else None
        given |= values if isinstance(values, dict) else {}
    return {name: value for name, value in given.items() if not isinstance(value, dict | list)}
