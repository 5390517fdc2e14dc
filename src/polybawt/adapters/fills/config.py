"""Every assumption of the fill model, with its unit in the name and its range."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class FillConfig(BaseModel):
    """Assumptions of `SimVenue`. Reasons and evidence for each default: docs/fill-model.md."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    queue: Literal["pessimistic", "power"] = "pessimistic"
    """How displayed decreases move a resting order: never, or by a power law."""

    power: float = Field(default=2.0, ge=0.5, le=10.0, allow_inf_nan=False)
    """Exponent of the power law: the higher, the more of a decrease comes from the longer part."""

    feed_ms: int = Field(default=50, ge=0, le=10_000)
    """From the receipt of a recorded frame to the bot seeing it."""

    order_ms: int = Field(default=80, ge=0, le=10_000)
    """From a decision to its orders and cancels reaching the book."""

    ack_ms: int = Field(default=80, ge=0, le=10_000)
    """From something happening at the venue to the bot knowing it."""

    tail_ms: int = Field(default=30, ge=0, le=10_000)
    """Mean of the exponential tail added to each of the three delays; 0 makes them constant."""

    hold_ms: int = Field(default=150, ge=0, le=5_000)
    """Irrevocable hold of a marketable order before it matches."""

    max_gap_ms: int = Field(default=2_000, ge=1, le=60_000)
    """A held order is voided when no book follows its hold within this time."""

    confirm_ms: int = Field(default=5_000, ge=0, le=600_000)
    """From a match to its settlement (PROVISIONAL to CONFIRMED)."""

    chain_ms: int = Field(default=4_000, ge=0, le=600_000)
    """From a decision to its split, merge or redeem being done."""

    rebate_after_ms: int = Field(default=21_600_000, ge=0, le=86_400_000)
    """From the end of a UTC day to the payment of its maker rebates."""

    rebate_min_e6: int = Field(default=1_000_000, ge=0, le=1_000_000_000)
    """A day's rebates below this many 10^-6 pUSD are not paid."""

    seed: int = Field(default=1, ge=0, le=2**63 - 1)
    """Seed of the delays; nothing else is random."""
