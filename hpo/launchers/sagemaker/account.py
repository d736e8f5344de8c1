"""Whose account it is, and what a spec leaves to that: the role's ARN, the bucket, the region."""

from __future__ import annotations

from dataclasses import dataclass

from hpo.errors import CannotStart
from hpo.launchers.sagemaker.api import client, session
from hpo.launchers.sagemaker.faults import fault
from hpo.launchers.sagemaker.options import SageMakerOptions


@dataclass(frozen=True, slots=True)
class Account:
    """Where training jobs run: as whom, with what rights, and where their files go."""

    region: str
    role: str  # an ARN
    output: str  # s3://bucket/prefix


def account(options: SageMakerOptions) -> Account:
    """Return what a spec means here; AWS is asked where it names no ARN, or no bucket.

    Raises CannotStart and Fault.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    region = session(options).region_name
    if not region:
        raise CannotStart("no AWS region is set; set launcher.region, or AWS_DEFAULT_REGION")
    if options.role is None:
        raise CannotStart("`launcher.role` is missing: the IAM role that training jobs run with")
    role, output = options.role, options.output
    if not role.startswith("arn:") or output is None:
        try:
            identity = client(options, "sts").get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise fault(error, "GetCallerIdentity") from error
        partition, number = identity["Arn"].split(":")[1], identity["Account"]
        role = role if role.startswith("arn:") else f"arn:{partition}:iam::{number}:role/{role}"
        output = output or f"s3://sagemaker-{region}-{number}/hpo"
    return Account(region, role, output.rstrip("/"))
