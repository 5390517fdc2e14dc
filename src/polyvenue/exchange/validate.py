"""Every check of an order at its arrival, with the venue's status and text.

The checks run in a fixed order and the first that refuses wins; none changes anything.
"""

import re

from polyvenue.exchange.accounts import Account
from polyvenue.exchange.market import SIZE_DECIMALS, Market, Phase
from polyvenue.exchange.matching import crosses
from polyvenue.exchange.orders import Order, OrderRequest, OrderType, Refusal, Side
from polyvenue.exchange.state import Core, EngineMode
from polyvenue.exchange.units import E4, E6, S_NS, Rounding, decimals_of, div, show

FOK_KILLED = "order couldn't be fully filled. FOK orders are fully filled or killed."
FAK_KILLED = (
    "no orders found to match with FAK order. "
    "FAK orders are partially filled or killed if no match is found."
)
AMOUNT_MAX_E6 = 10**15
"""A bound on one order (10^9 pUSD or shares), so that no sum grows without one."""

_ORDER_ID = re.compile(r"0x[0-9a-f]{64}")


def bad(text: str) -> Refusal:
    """A refusal with status 400."""
    return Refusal(status=400, text=text)


def is_order_id(text: str) -> bool:
    """True for the shape of an EIP-712 hash."""
    return _ORDER_ID.fullmatch(text) is not None


def check_mode(core: Core, *, post_only: bool) -> Refusal | None:
    """What the engine mode says about a new order."""
    match core.mode:
        case EngineMode.RESTARTING:
            return Refusal(status=425, text="Too Early", retry_after_s=1)
        case EngineMode.DISABLED:
            text = "Trading is currently disabled. Check polymarket.com for updates"
            return Refusal(status=503, text=text)
        case EngineMode.CANCEL_ONLY:
            text = (
                "Trading is currently cancel-only. New orders are not accepted, "
                "but cancels are allowed."
            )
            return Refusal(status=503, text=text)
        case EngineMode.POST_ONLY if not post_only:
            until_ns = core.mode_until_ns
            left_s = None if until_ns is None else div(until_ns - core.now_ns, S_NS, Rounding.CEIL)
            text = "post-only mode: only post-only orders and cancels are allowed"
            return Refusal(status=503, text=text, code="post_only_mode", retry_after_s=left_s)
        case _:
            return None


def check_cancel(core: Core) -> Refusal | None:
    """What the engine mode says about a cancel."""
    if core.mode in (EngineMode.RESTARTING, EngineMode.DISABLED):
        return check_mode(core, post_only=True)
    return None


def check_order(core: Core, request: OrderRequest, api_key: str) -> Order | Refusal:
    """The order that a request makes, or why not."""
    refusal = check_payload(request) or check_mode(core, post_only=request.post_only)
    if refusal:
        return refusal
    account = find_account(core, request, api_key)
    if isinstance(account, Refusal):
        return account
    found = find_market(core, request.token_id)
    if isinstance(found, Refusal):
        return found
    market, outcome = found
    price_e4 = check_price(market, request)
    if isinstance(price_e4, Refusal):
        return price_e4
    refusal = check_terms(core, market, request)
    if refusal:
        return refusal
    book, is_bid, book_price_e4 = market.axis(outcome, request.side, price_e4)
    order = Order(
        request=request,
        market_id=market.market_id,
        outcome=outcome,
        price_e4=price_e4,
        book=book,
        is_bid=is_bid,
        book_price_e4=book_price_e4,
        created_ns=core.now_ns,
        remaining_e6=request.qty_e6,
    )
    return check_marketable(core, market, order, account) or order


def check_payload(request: OrderRequest) -> Refusal | None:
    """What no market needs to be asked about."""
    amounts = (request.maker_amount_e6, request.taker_amount_e6)
    if not is_order_id(request.order_id) or not all(0 < it <= AMOUNT_MAX_E6 for it in amounts):
        return bad("Invalid order payload")
    if request.post_only and not request.order_type.rests:
        return bad("Invalid order payload")
    return None


def find_account(core: Core, request: OrderRequest, api_key: str) -> Account | Refusal:
    """The wallet of the API key, if it may place this order."""
    maker = core.ledger.owners.get(api_key)
    if maker is None:
        return Refusal(status=401, text="Unauthorized/Invalid api key")
    if request.owner != api_key:
        return bad("the order owner has to be the owner of the API KEY")
    if request.maker != maker:
        return bad("the order signer address has to be the address of the API KEY")
    if request.signature_type == 0 and not core.config.eoa_allowed:
        return bad("maker address not allowed, please use the deposit wallet flow")
    account = core.ledger.accounts[maker]
    if account.banned:
        return bad(f"'{maker}' address banned")
    if account.closed_only and request.side is Side.BUY:
        return bad(f"'{maker}' address in closed only mode")
    return account


def find_market(core: Core, token_id: str) -> tuple[Market, int] | Refusal:
    """The market and outcome of a token, if it takes orders now."""
    found = core.tokens.get(token_id)
    if found is None:
        return bad("Invalid token id")
    phase = found[0].phase
    if phase is Phase.CREATED:
        return bad("the market is not yet ready to process new orders")
    if phase is Phase.REMOVED:
        return Refusal(status=404, text="No orderbook exists for the requested token id")
    if not takes_orders(core, found[0]):
        return Refusal(status=404, text="market not found")
    return found


def takes_orders(core: Core, market: Market) -> bool:
    """True while a market takes orders."""
    if market.phase is Phase.ENDED:
        return core.config.orders_after_end
    return market.phase in (Phase.TRADING, Phase.OPEN)


def check_price(market: Market, request: OrderRequest) -> int | Refusal:
    """The price in 10^-4 that the two amounts mean, or a refusal of decimals or tick.

    Amounts give the price exactly, except for a BUY of FAK or FOK: its shares are the collateral
    divided by the price and floored, so the price is the one on the grid that floors to them.
    """
    is_market_buy = not request.order_type.rests and request.side is Side.BUY
    shares_max, collateral_max = SIZE_DECIMALS, market.amount_decimals
    if is_market_buy:
        shares_max, collateral_max = 4, 2
    collateral_e6, qty_e6 = request.collateral_e6, request.qty_e6
    if decimals_of(collateral_e6) > collateral_max or decimals_of(qty_e6) > shares_max:
        maker, taker = collateral_max, shares_max
        if request.side is Side.SELL:
            maker, taker = taker, maker
        return bad(
            f"invalid amounts, the {request.side.lower()} orders maker amount supports "
            f"a max accuracy of {maker} decimals, taker amount a max of {taker} decimals"
        )
    price_e4, rest = divmod(collateral_e6 * E4, qty_e6)
    if is_market_buy:
        step_e6 = 10 ** (6 - min(market.amount_decimals, 4))
        price_e4 -= price_e4 % market.tick_e4
        rest = 0 if collateral_e6 * E4 < price_e4 * (qty_e6 + step_e6) else 1
    return check_price_of(market, request, -1 if rest else price_e4) or price_e4


def check_price_of(market: Market, request: OrderRequest, price_e4: int) -> Refusal | None:
    """Whether a price lies on the present grid, in [tick, 1 - tick]."""
    tick_e4 = market.tick_e4
    if tick_e4 <= price_e4 <= E4 - tick_e4 and price_e4 % tick_e4 == 0:
        return None
    shown = show(div(request.collateral_e6 * E6, request.qty_e6, Rounding.HALF_UP), E6)
    text = f"Price ({shown}) breaks minimum tick size rule: {show(tick_e4, E4)}"
    return bad(f"order {request.order_id} is invalid. {text}")


def check_terms(core: Core, market: Market, request: OrderRequest) -> Refusal | None:
    """Size, expiration and identity."""
    config, least_e6 = core.config, market.terms.min_size_e6
    sized = request.order_type.rests or config.market_order_min_size
    if sized and request.qty_e6 < least_e6:
        size = f"Size ({show(request.qty_e6, E6)}) lower than the minimum: {show(least_e6, E6)}"
        return bad(f"order {request.order_id} is invalid. {size}")
    if request.order_type is OrderType.GTD:
        if request.expiration_s * S_NS < core.now_ns + config.gtd_lead_s * S_NS:
            return bad("invalid expiration")
    elif request.expiration_s != 0:
        return bad("invalid expiration")
    known = core.orders.get(request.order_id)
    if known and (known.status.is_open or config.duplicate_when_terminal):
        return bad(f"order {request.order_id} is invalid. Duplicated.")
    return None


def check_marketable(core: Core, market: Market, order: Order, account: Account) -> Refusal | None:
    """What depends on whether the order would match at once, and what the wallet can pay."""
    request, crossing = order.request, crosses(market, order)
    if request.post_only and crossing:
        return bad("invalid post-only order: order crosses book")
    is_taker = crossing or not request.order_type.rests
    least_e6 = core.config.marketable_buy_min_e6
    if is_taker and request.side is Side.BUY and request.collateral_e6 < least_e6:
        shown = show(request.collateral_e6, E6)
        text = f"invalid amount for a marketable BUY order (${shown}), min size: "
        return bad(f"{text}${show(least_e6, E6)}")
    refusal = check_balance(core, account, order.asset, needed_e6(market, order, is_taker=is_taker))
    if refusal or crossing:
        return refusal
    if request.order_type is OrderType.FOK:
        return bad(FOK_KILLED)
    return bad(FAK_KILLED) if request.order_type is OrderType.FAK else None


def needed_e6(market: Market, order: Order, *, is_taker: bool) -> int:
    """What the wallet must have free: the shares of a SELL, the collateral of a BUY.

    A BUY that would match also needs its fee, which is charged on top. Price plus fee grows with
    the price, so the limit is the worst case.
    """
    request = order.request
    if request.side is Side.SELL:
        return request.qty_e6
    if not is_taker:
        return request.collateral_e6
    fees = market.terms.fees
    return request.collateral_e6 + fees.taker_fee_e6(request.qty_e6, order.price_e4, Rounding.CEIL)


def check_balance(core: Core, account: Account, asset: str, needed_e6: int) -> Refusal | None:
    """The lower of balance and allowance, less open orders and unsettled matches, must do."""
    if core.usable_e6(account, asset) >= needed_e6:
        return None
    head = "not enough balance / allowance: the"
    held_e6, allowance_e6 = account.held.get(asset, 0), account.allowance_of(asset)
    if allowance_e6 < min(held_e6, needed_e6):
        return bad(
            f"{head} allowance is not enough -> "
            f"allowance: {allowance_e6}, order amount: {needed_e6}"
        )
    parts = [f"balance: {held_e6 - account.frozen.get(asset, 0)}"]
    if open_e6 := account.open.get(asset, 0):
        parts.append(f"sum of active orders: {open_e6}")
    if leaving_e6 := account.leaving.get(asset, 0):
        parts.append(f"sum of matched orders: {leaving_e6}")
    parts.append(f"order amount: {needed_e6}")
    return bad(f"{head} balance is not enough -> {', '.join(parts)}")
