"""What would keep every training job from starting, found before the first one is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hpo.errors import LauncherError
from hpo.launchers import s3
from hpo.launchers.launcher import JobContext, Obstacle
from hpo.launchers.sagemaker.account import Account, account
from hpo.launchers.sagemaker.api import client
from hpo.launchers.sagemaker.faults import Denied, Fault, LoginNeeded, fault
from hpo.launchers.sagemaker.options import SageMakerOptions
from hpo.launchers.sagemaker.request import Recipe

_LIST_OBJECTS = "s3:ListBucket"


def problems(context: JobContext, options: SageMakerOptions, recipe: Recipe) -> Iterator[Obstacle]:
    """Yield what is missing for any run to start; AWS is asked only where all is right here."""
    here = list(recipe.problems())
    if options.role is None:
        what = "it is missing: the IAM role that training jobs run with, its name or its ARN"
        here.append(_obstacle("role", what))
    yield from here
    if not here:
        yield from _problems_at_aws(context, options)


def _problems_at_aws(context: JobContext, options: SageMakerOptions) -> Iterator[Obstacle]:
    try:
        where = account(options)
        _ask(options, "sagemaker", "ListTrainingJobs", lambda asked: asked.list_training_jobs(MaxResults=1))
    except Denied as error:
        yield _obstacle("role", str(error))
        return
    except LoginNeeded as error:
        yield _obstacle("profile" if options.profile else "kind", str(error))
        return
    except LauncherError as error:
        yield _obstacle(
            "endpoint" if options.endpoint else "region" if options.region else "kind", str(error)
        )
        return
    yield from _bucket_problems(options, where)
    for channel, given in context.inputs.items():
        if given.startswith(s3.SCHEME):
            yield from _channel_problems(options, channel, given)


def _bucket_problems(options: SageMakerOptions, where: Account) -> Iterator[Obstacle]:
    bucket = s3.Address.of(where.output).bucket
    try:
        _ask(options, "s3", "HeadBucket", lambda asked: asked.head_bucket(Bucket=bucket))
    except Fault as error:
        if "404" in str(error) or "NoSuchBucket" in str(error):
            made = f"`aws s3 mb s3://{bucket}` makes it"
            yield _obstacle("output", f"there is no bucket {bucket}; {made}, or name another one")
        elif not isinstance(error, Denied):  # which may well write there, without being told what is there
            yield _obstacle("output", str(error))


def _channel_problems(options: SageMakerOptions, channel: str, given: str) -> Iterator[Obstacle]:
    """See whether there is anything at an address; who may not look leaves it to the role."""
    try:
        address = s3.Address.of(given)
        found = _ask(
            options,
            "s3",
            _LIST_OBJECTS,
            lambda asked: asked.list_objects_v2(Bucket=address.bucket, Prefix=address.prefix, MaxKeys=1),
        )
        if not found.get("KeyCount"):
            yield Obstacle(("inputs", channel), s3.nothing_at(address))
    except Denied:
        pass
    except LauncherError as error:
        yield Obstacle(("inputs", channel), str(error))


def _ask(options: SageMakerOptions, service: str, operation: str, call: Any) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError

    asked = client(options, service)
    try:
        return call(asked)
    except (BotoCoreError, ClientError) as error:
        raise fault(error, operation) from error
    finally:
        asked.close()


def _obstacle(key: str, message: str) -> Obstacle:
    return Obstacle(("launcher", key), message)
