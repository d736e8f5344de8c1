"""AMT's tuning jobs as AWS answers them; boto3 is imported only here, and only then."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hpo.errors import CannotStart, JobNotFound, LauncherError, UsageError
from hpo.launchers.sagemaker.faults import Denied, Fault, Unknown, fault

PREFIX = "sagemaker:"
"""How the name of a tuning job of SageMaker's begins where jobs are named."""

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,31}")
_PAGE = 100
_ATTEMPTS = 6
_PATIENCE = 20
"""Seconds without a byte after which a connection is given up."""


class TuningJobs:
    """The tuning jobs of an account and region, by boto3's own rules where neither is given.

    Every method raises JobNotFound for a job that is not there, and LauncherError for what else AWS
    refuses, with the action that the credentials lack.
    """

    def __init__(self, *, region: str | None = None, profile: str | None = None) -> None:
        """Raise LauncherError where boto3, the profile or the region is missing."""
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError, NoRegionError
        except ImportError as error:
            raise CannotStart("SageMaker's tuning jobs need boto3: pip install 'hpo[aws]'") from error
        config = Config(
            connect_timeout=_PATIENCE,
            read_timeout=_PATIENCE,
            retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
        )
        try:
            session = boto3.Session(profile_name=profile, region_name=region)
            self._client = session.client("sagemaker", config=config)
            self.region = str(self._client.meta.region_name or "")
            if not self.region:  # an endpoint was set, and boto3 asks for no region then
                raise NoRegionError
        except NoRegionError as error:
            raise CannotStart("no AWS region is set; give --region, or set AWS_DEFAULT_REGION") from error
        except BotoCoreError as error:
            raise fault(error, "SageMaker") from error
        except ValueError as error:  # of an endpoint or a region that cannot be part of an address
            raise CannotStart(f"SageMaker cannot be asked: {error}") from error

    def describe(self, name: str) -> Mapping[str, Any]:
        """Return a tuning job's whole description."""
        _check_name(name)
        answer: Mapping[str, Any] = self._ask(
            name, "DescribeHyperParameterTuningJob", HyperParameterTuningJobName=name
        )
        return answer

    def trials(self, name: str) -> Iterator[Mapping[str, Any]]:
        """Yield the summaries of a tuning job's training jobs, the first created first."""
        _check_name(name)
        yield from self._pages(
            name,
            "ListTrainingJobsForHyperParameterTuningJob",
            "TrainingJobSummaries",
            HyperParameterTuningJobName=name,
            MaxResults=_PAGE,
            SortBy="CreationTime",
            SortOrder="Ascending",
        )

    def tags(self, name: str, arn: str) -> dict[str, str]:
        """Return a tuning job's tags, but for AWS's own."""
        entries = self._pages(name, "ListTags", "Tags", ResourceArn=arn)
        return {tag["Key"]: tag["Value"] for tag in entries if not tag["Key"].lower().startswith("aws:")}

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _pages(self, name: str, action: str, entries: str, **asked: object) -> Iterator[Mapping[str, Any]]:
        while True:
            answer = self._ask(name, action, **asked)
            yield from answer.get(entries, ())
            if not answer.get("NextToken"):
                return
            asked["NextToken"] = answer["NextToken"]

    def _ask(self, name: str, action: str, **asked: object) -> Any:
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError

        call: Callable[..., Any] = getattr(self._client, xform_name(action))
        try:
            return call(**asked)
        except (BotoCoreError, ClientError) as error:
            meaning = fault(error, action)
            if isinstance(meaning, Unknown) or _says_unknown(meaning):
                raise JobNotFound(
                    f"SageMaker has no tuning job {name} in {self.region}; --region asks another one, and "
                    f"`aws sagemaker list-hyper-parameter-tuning-jobs --region {self.region}` lists its jobs"
                ) from error
            if isinstance(meaning, Denied):
                raise _denied(action, error) from error
            raise meaning from error


def name_of(text: str) -> str | None:
    """Return the name in sagemaker:NAME; None where it is none of SageMaker's. Raises UsageError."""
    if not text.startswith(PREFIX):
        return None
    name = text.removeprefix(PREFIX)
    _check_name(name)
    return name


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name of a tuning job of SageMaker's: 1 to 32 letters, digits and inner hyphens"
        )


def _says_unknown(meaning: Fault) -> bool:
    words = str(meaning)
    return "ValidationException" in words and bool(
        re.search(r"not f(ou|i)nd|n't find|not exist", words, re.IGNORECASE)
    )


def _denied(action: str, error: Exception) -> LauncherError:
    words = str(getattr(error, "response", {}).get("Error", {}).get("Message") or error).rstrip(".")
    return CannotStart(f"the AWS credentials lack the permission sagemaker:{action} ({words})")
