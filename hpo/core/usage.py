"""What a run took of machines that are charged for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run took; seconds are of each of its machines, prices of one machine for an hour."""

    machine: str  # what its kind is called where it is rented: ml.m5.xlarge
    machines: int = 1
    start_seconds: float = 0.0  # from the launch until the program ran
    training_seconds: float = 0.0
    billable_seconds: float = 0.0
    idle_seconds: float = 0.0  # billed while the machine was kept ready for this run
    price: float | None = None  # None where it is not known
    is_spot: bool = False
    interruptions: int = 0
    is_warm: bool = False  # on a machine that an earlier run had left ready

    @property
    def cost(self) -> float | None:
        """What was charged; None where no price is known."""
        return self.priced(self.billable_seconds + self.idle_seconds)

    @property
    def saved_by_spot(self) -> float | None:
        """What was not charged as the machine could have been taken away; None where no price is known."""
        return self.priced(max(0.0, self.training_seconds - self.billable_seconds) if self.is_spot else 0.0)

    def priced(self, seconds: float) -> float | None:
        """Return what so many seconds of its machines cost; None where no price is known."""
        return None if self.price is None else seconds / 3600.0 * self.machines * self.price
