"""What must be known and done before the first training job: account, uploads, prices; found out once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hpo.core.trial import Launch
from hpo.launchers.environment import read_secrets
from hpo.launchers.launcher import JobContext, Obstacle
from hpo.launchers.sagemaker.account import Account, account
from hpo.launchers.sagemaker.api import client, session
from hpo.launchers.sagemaker.check import problems
from hpo.launchers.sagemaker.options import SageMakerOptions
from hpo.launchers.sagemaker.prices import PRICE_LIST_REGION, PriceList, hourly_prices, worst
from hpo.launchers.sagemaker.request import Body, Recipe, Resolved
from hpo.launchers.sagemaker.upload import Uploads


class Preparation:
    """Makes requests of launches; may be used by several threads at once."""

    def __init__(self, context: JobContext, options: SageMakerOptions) -> None:
        self._context = context
        self._options = options
        self._recipe = Recipe(context, options)
        self._uploads = Uploads(context, options, lambda: client(options, "s3"))
        self._turn = threading.Lock()
        self._account: Account | None = None
        self._resolved: Resolved | None = None
        self._prices: Mapping[str, float] | None = None

    def check(self) -> Sequence[Obstacle]:
        """Return what would keep every run from starting."""
        return list(problems(self._context, self._options, self._recipe))

    def planned(self, launch: Launch, *, name: str) -> Body:
        """Return the request as it would be; uploads nothing. Raises LauncherError."""
        where = account(self._options)
        inputs, source = self._uploads.planned(where.output)
        resolved = Resolved(where.role, where.output, inputs, source, where.region)
        secrets = dict.fromkeys(self._options.env_from, "(from env_from)")
        kind = self._options.instance_types[0]
        return self._recipe.request(launch, name=name, instance_type=kind, resolved=resolved, secrets=secrets)

    def ready(self, launch: Launch, *, name: str) -> Callable[[str], Body]:
        """Upload what must be, and return the request for each kind of machine.

        Raises LauncherError and OSError.
        """
        with self._turn:
            if self._resolved is None:
                where = account(self._options)
                inputs, source = self._uploads.require(where.output)
                self._resolved = Resolved(where.role, where.output, inputs, source, where.region)
            resolved = self._resolved
        secrets = read_secrets(self._options.env_from, self._context.base)
        return lambda kind: self._recipe.request(
            launch, name=name, instance_type=kind, resolved=resolved, secrets=secrets
        )

    def prices(self) -> Mapping[str, float]:
        """Return what each kind of machine costs an hour, as far as that is known. Raises LauncherError."""
        with self._turn:
            if self._prices is None:
                region = session(self._options).region_name or ""
                ask = PriceList(region, self._price_list).ask
                self._prices = hourly_prices(self._kinds(), given=self._options.prices, ask=ask)
            return self._prices

    def worst_cost(self) -> float | None:
        """Return what one run can cost at the most; None where a price is not known. Raises LauncherError."""
        count = self._options.instance_count
        alternatives: list[Mapping[str, int]] = [{kind: count} for kind in self._options.instance_types]
        if groups := self._options.instance_groups:
            together: Counter[str] = Counter()
            for group in groups:
                together[group.type] += group.count
            alternatives = [together]
        return worst(
            alternatives,
            self.prices(),
            run_seconds=self._recipe.max_run,
            keep_alive_seconds=self._options.keep_alive or 0.0,
        )

    def _kinds(self) -> list[str]:
        return [*self._options.instance_types, *(group.type for group in self._options.instance_groups)]

    def _price_list(self) -> Any:
        return client(self._options, "pricing", region=PRICE_LIST_REGION, attempts=2)

    def close(self) -> None:
        """Give up an upload that is under way; another one goes on from there."""
        self._uploads.close()
