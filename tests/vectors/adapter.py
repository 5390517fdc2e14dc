"""Each function of the vectors as a call of product code.

The vectors speak in natural units and exact decimals, YES is Up and NO is Down; the product
computes with scaled integers. Only this file converts; it computes nothing the product computes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from polybawt.adapters.fills.queue import maker_fill, queue_shrink
from polybawt.domain.actions import Place
from polybawt.domain.events import MarketListed
from polybawt.domain.fees import FeeSchedule, max_buy_amount, rebate_payout
from polybawt.domain.fill import Fill, Liquidity
from polybawt.domain.ids import FillId, MarketId, OrderId, Outcome, Side, StrategyName
from polybawt.domain.market import Market, PointBoundary
from polybawt.domain.order import Leg
from polybawt.domain.ticks import (
    clamp_price,
    gate_min,
    is_valid_price,
    limit_amounts,
    quote_round,
)
from polybawt.domain.units import E4, E6, E18, PPM, S_NS, Rounding, div, from_scaled, to_scaled
from polybawt.portfolio import ops
from polybawt.portfolio.account import AccountState
from polybawt.portfolio.lots import Method
from polybawt.portfolio.pnl import liquidation_mark_e18, unrealized_e18, value_e18
from polybawt.portfolio.positions import fold
from polybawt.research import stats
from polybawt.risk.limits import Exposure, market_exposure
from polybawt.signals.imbalance import obi, weighted_mid
from polybawt.signals.toxicity import toxic_loss, twap_variance_s

Inputs = dict[str, Any]
NAME = StrategyName("vector")
M = MarketId("m")


def dec(text: str) -> Decimal:
    """The exact decimal of a vector; ValueError for any other text."""
    try:
        return Decimal(str(text))
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None


def e6(text: str) -> int:
    """An amount in 10^-6."""
    return to_scaled(dec(text), E6, "amount")


def e4(text: str) -> int:
    """A price in 10^-4."""
    return to_scaled(dec(text), E4, "price")


def ppm(text: str) -> int:
    """A rate in parts per million."""
    return to_scaled(dec(text), PPM, "rate")


def maybe_e4(text: str | None) -> int | None:
    """A price that may be missing."""
    return None if text is None else e4(text)


def from_e4(price: int | None) -> Decimal | None:
    """A price as a decimal, None if there is none."""
    return None if price is None else from_scaled(price, E4)


def fees_of(inputs: Inputs) -> FeeSchedule:
    """The fee terms that a row names."""
    exponent = int(inputs["exponent"])
    return FeeSchedule(rate_ppm=ppm(inputs["rate"]), exponent=exponent)


# --- fees, prices, sizes -------------------------------------------------------------------------


def _taker_fee(x: Inputs) -> Decimal:
    fee = fees_of(x).taker_fee_e6(e6(x["shares"]), e4(x["price"]), Rounding(x["rounding"]))
    return from_scaled(fee, E6)


def _fills_fee(x: Inputs) -> Decimal:
    fees, rounding = fees_of(x), Rounding(x["rounding"])
    total = sum(fees.taker_fee_e6(e6(size), e4(price), rounding) for price, size in x["fills"])
    return from_scaled(total, E6)


def _max_buy_amount(x: Inputs) -> Decimal:
    amounts = (dec(x["amount"]), dec(x["price"]), dec(x["max_spend"]))
    return max_buy_amount(*amounts, fees_of(x), dec(x["builder_rate"]))


def _maker_rebate_est(x: Inputs) -> Decimal:
    fees = FeeSchedule(
        rate_ppm=ppm(x["rate"]), exponent=int(x["exponent"]), rebate_ppm=ppm(x["rebate_rate"])
    )
    return from_scaled(fees.rebate_estimate_e6(e6(x["shares"]), e4(x["price"])), E6)


def _rebate_payout(x: Inputs) -> dict[str, Decimal]:
    accrued, paid = rebate_payout(
        e6(x["own_fee_equivalent"]),
        e6(x["total_fee_equivalent"]),
        e6(x["pool"]),
        e6(x["minimum"]),
    )
    return {"accrued": accrued / E6, "paid": paid / E6}


def _clamp_price(x: Inputs) -> Decimal:
    directions = {"down": Rounding.FLOOR, "up": Rounding.CEIL}
    if x["direction"] not in directions:
        raise ValueError(f"direction {x['direction']!r}")
    price_e8 = to_scaled(dec(x["price"]), E4 * E4, "price")
    return from_scaled(clamp_price(price_e8, E4, e4(x["tick"]), directions[x["direction"]]), E4)


def _valid_price(x: Inputs) -> bool:
    return is_valid_price(e4(x["price"]), e4(x["tick"]))


def _limit_amounts(x: Inputs) -> dict[str, int]:
    maker, taker = limit_amounts(Side[x["side"]], e6(x["size"]), e4(x["price"]))
    return {"maker_amount": maker, "taker_amount": taker}


def _gate_min(x: Inputs) -> Decimal:
    shares = gate_min(e6(x["shares"]), e4(x["price"]), e6(x["min_shares"]), e6(x["min_notional"]))
    return from_scaled(shares, E6)


# --- quoting -------------------------------------------------------------------------------------


def _raw_e6(text: str | None, rounding: Rounding) -> int | None:
    """A raw quote in 10^-6: rounded the way its tick rounding goes, which changes no result."""
    if text is None:
        return None
    numerator, denominator = dec(text).as_integer_ratio()
    return div(numerator * E6, denominator, rounding)


def _quote_round(x: Inputs) -> dict[str, Decimal | None]:
    bid, ask = quote_round(
        _raw_e6(x["bid_raw"], Rounding.FLOOR),
        _raw_e6(x["ask_raw"], Rounding.CEIL),
        best_bid_e4=maybe_e4(x["best_bid"]),
        best_ask_e4=maybe_e4(x["best_ask"]),
        tick_e4=e4(x["tick"]),
    )
    return {"bid": from_e4(bid), "ask": from_e4(ask)}


def _levels(rows: Sequence[Sequence[str]]) -> list[tuple[float, float]]:
    return [(float(price), float(size)) for price, size in rows]


def _obi(x: Inputs) -> float:
    return obi(_levels(x["bids"]), _levels(x["asks"]), int(x["k"]), float(x["decay"]))


def _weighted_mid(x: Inputs) -> Decimal:
    numerator, denominator = weighted_mid(
        e4(x["bid"]), e6(x["bid_size"]), e4(x["ask"]), e6(x["ask_size"])
    )
    return Decimal(numerator) / denominator / E4


def _toxic_loss(x: Inputs) -> float:
    return toxic_loss(float(x["sd"]), float(x["half_spread"]), float(x["fee"]))


def _twap_moments(x: Inputs) -> dict[str, float]:
    window, step = float(x["window"]), float(x["step"])
    n_future, variance_s = twap_variance_s(float(x["tau"]), window, float(x["lag"]), step)
    samples = round(window / step)
    return {"n_future": n_future, "weight": n_future / samples, "variance_seconds": variance_s}


# --- risk ----------------------------------------------------------------------------------------


def _exposure(position: Inputs, orders: Sequence[Inputs] = (), rate: str = "0") -> Exposure:
    """The exposure of an account that holds the position and has the orders open."""
    account = AccountState(0, Method.AVERAGE)
    market = Market(
        market_id=M,
        asset="BTC",
        slug="m",
        open_ns=0,
        close_ns=900 * S_NS,
        token_up="1",
        token_down="2",
        tick_e4=1,
        fees=FeeSchedule(rate_ppm=ppm(rate), exponent=1),
        settlement=PointBoundary(stream="s"),
    )
    account.apply(MarketListed(market=market))
    live = account.markets[M]
    held = {Outcome.UP: e6(position["yes"]), Outcome.DOWN: e6(position["no"])}
    cost_e6 = e6(position["cost"])
    for outcome, qty_e6 in held.items():
        if qty_e6:
            # Free tokens; the whole cost is the fee of the first fill.
            fill = Fill(
                fill_id=FillId(f"f{outcome}"),
                order_id=OrderId(f"h{outcome}"),
                strategy=NAME,
                instrument=live.instrument(outcome),
                side=Side.BUY,
                liquidity=Liquidity.TAKER,
                price_e4=0,
                qty_e6=qty_e6,
                fee_e6=cost_e6,
                venue_ns=1,
            )
            account.ledger.fill(fill, M)
            cost_e6 = 0
    if cost_e6:
        raise ValueError("a cost without shares is no position")
    for number, order in enumerate(orders):
        leg = Leg(
            instrument=live.instrument(Outcome.UP if order["token"] == "YES" else Outcome.DOWN),
            side=Side[order["side"]],
            limit_e4=e4(order["price"]),
            qty_e6=e6(order["size"]),
            post_only=not order.get("taker", False),
        )
        place = Place(strategy=NAME, market_id=M, order_id=OrderId(f"o{number}"), leg=leg)
        account.note(place, 1)
    return market_exposure(account, live)


def _worst_with_orders(x: Inputs) -> dict[str, Decimal]:
    exposure = _exposure(x["position"], x["orders"], x["rate"])
    up, down = (from_scaled(v, E6) for v in (exposure.up_e6, exposure.down_e6))
    return {"up": up, "down": down, "worst": min(up, down)}


def _max_loss(x: Inputs) -> dict[str, Decimal]:
    exposures = [_exposure(position) for position in x["positions"]]
    losses_e6 = sum(exposure.at_risk_e6 for exposure in exposures)
    joint_e6 = -sum(min(exposure.up_e6, exposure.down_e6) for exposure in exposures)
    return {
        "sum_of_positive_losses": from_scaled(losses_e6, E6),
        "joint_worst_loss": from_scaled(joint_e6, E6),
    }


# --- accounting ----------------------------------------------------------------------------------


def _op(name: str, *args: str) -> ops.Op:
    match name:
        case "buy" | "sell":
            outcome = Outcome.UP if args[0] == "YES" else Outcome.DOWN
            make = ops.buy if name == "buy" else ops.sell
            return make(outcome, e6(args[1]), e4(args[2]), *(e6(arg) for arg in args[3:]))
        case "split":
            return ops.split(e6(args[0]), *(ppm(arg) for arg in args[1:]))
        case "merge":
            return ops.merge(e6(args[0]))
        case "settle":
            return ops.settle((ppm(args[0]), PPM - ppm(args[0])))
        case "rebate":
            return ops.rebate(e6(args[0]))
        case "deposit":
            return ops.deposit(e6(args[0]))
        case _:
            raise ValueError(f"unknown op {name!r}")


def _ledger(x: Inputs) -> dict[str, Decimal]:
    """Opening cash is a deposit; a settled claim counts as cash."""
    position = fold([_op(*row) for row in x["ops"]], Method(x["method"]))
    e12 = E18 // E6
    cash_e18 = (e6(x["cash"]) + position.cash_e6 + position.receivable_e6) * e12
    got_e18 = {
        "cash": cash_e18,
        "yes": position.up_e6 * e12,
        "no": position.down_e6 * e12,
        "basis_yes": position.up_cost_e18,
        "basis_no": position.down_cost_e18,
        "realised": position.realized_e18,
        "fees": position.fees_e18,
        "rebates": position.rebates_e6 * e12,
    }
    if x["mark"] is not None:
        marks = [e6(mark) for mark in x["mark"]]
        worth_e18 = value_e18(position.up_e6, position.down_e6, *marks)
        got_e18["unrealised"] = unrealized_e18(position, worth_e18)
        got_e18["equity"] = cash_e18 + worth_e18
        got_e18["total_pnl"] = position.realized_e18 + got_e18["unrealised"]
    return {name: from_scaled(value, E18) for name, value in got_e18.items()}


def _liquidation_mark(x: Inputs) -> Decimal:
    bids = [maybe_e4(x[key]) or 0 for key in ("bid_yes", "bid_no")]
    return from_scaled(liquidation_mark_e18(e6(x["yes"]), e6(x["no"]), *bids), E18)


# --- statistics and the fill model ---------------------------------------------------------------


def _max_drawdown(x: Inputs) -> dict[str, object]:
    return stats.max_drawdown([dec(value) for value in x["equity"]])._asdict()


def _pbo(x: Inputs) -> dict[str, object]:
    matrix = [[dec(value) for value in row] for row in x["matrix"]]
    result = stats.pbo(matrix, int(x["blocks"]))
    return {"pbo": result.pbo, "logit_args": list(result.ranks)}


def _decimals(x: Inputs, *keys: str) -> list[Decimal]:
    return [dec(x[key]) for key in keys]


def _psr(x: Inputs) -> float:
    sharpe, benchmark, skew, kurtosis = _decimals(x, "sharpe", "benchmark", "skew", "kurtosis")
    return stats.psr(sharpe, benchmark, int(x["n"]), skew, kurtosis)


def _dsr(x: Inputs) -> float:
    sharpe, skew, kurtosis, variance = _decimals(x, "sharpe", "skew", "kurtosis", "variance")
    trials = int(x["trials"])
    return stats.dsr(sharpe, int(x["n"]), skew, kurtosis, variance=variance, trials=trials)


def _queue_shrink(x: Inputs) -> Decimal:
    front = queue_shrink(e6(x["front"]), e6(x["back"]), e6(x["decrease"]), float(x["power"]))
    return from_scaled(front, E6)


def _maker_fill(x: Inputs) -> dict[str, object]:
    prints = [(e4(price), e6(size), Side[side]) for price, size, side in x["prints"]]
    result = maker_fill(Side[x["side"]], e4(x["limit"]), e6(x["ahead"]), e6(x["remaining"]), prints)
    return {
        "ahead": from_scaled(result.ahead_e6, E6),
        "remaining": from_scaled(result.rest_e6, E6),
        "fills": [from_scaled(fill, E6) for fill in result.fills_e6],
    }


FUNCTIONS: dict[str, Callable[[Inputs], object]] = {
    "taker_fee": _taker_fee,
    "fills_fee": _fills_fee,
    "max_buy_amount": _max_buy_amount,
    "maker_rebate_est": _maker_rebate_est,
    "rebate_payout": _rebate_payout,
    "clamp_price": _clamp_price,
    "valid_price": _valid_price,
    "limit_amounts": _limit_amounts,
    "gate_min": _gate_min,
    "toxic_loss": _toxic_loss,
    "twap_moments": _twap_moments,
    "quote_round": _quote_round,
    "obi": _obi,
    "weighted_mid": _weighted_mid,
    "max_loss": _max_loss,
    "worst_with_orders": _worst_with_orders,
    "ledger": _ledger,
    "liquidation_mark": _liquidation_mark,
    "trade_stats": lambda x: stats.trade_stats([dec(r) for r in x["returns"]])._asdict(),
    "max_drawdown": _max_drawdown,
    "psr": _psr,
    "expected_max_sharpe": lambda x: stats.expected_max_sharpe(
        dec(x["variance"]), int(x["trials"])
    ),
    "dsr": _dsr,
    "pbo": _pbo,
    "trades_needed": lambda x: stats.trades_needed(*_decimals(x, "mean", "sd", "z")),
    "queue_shrink": _queue_shrink,
    "maker_fill": _maker_fill,
}
"""Functions that the product has; every other one is skipped by its name."""
