"""The assets that have Up/Down series: names, symbols, and the size of their synthetic moves.

Start prices and volatilities are round numbers of our own; nothing recorded is replayed.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset. `price` in USD is where the path starts; `vol_year` is a yearly fraction."""

    code: str
    name: str
    label: str
    price: float
    vol_year: float
    decimals: int
    image: str

    @property
    def oracle_symbol(self) -> str:
        """The symbol on PolyBolt: "btcusd"."""
        return f"{self.code}usd"

    @property
    def binance_symbol(self) -> str:
        """The symbol on Binance, upper case: "BTCUSDT"."""
        return f"{self.code.upper()}USDT"


def _asset(code: str, name: str, price: float, vol_year: float, decimals: int) -> Asset:
    return Asset(
        code=code,
        name=name,
        label=code.upper(),
        price=price,
        vol_year=vol_year,
        decimals=decimals,
        image=f"https://polymarket-upload.s3.us-east-2.amazonaws.com/{code.upper()}+fullsize.png",
    )


ASSETS: dict[str, Asset] = {
    asset.code: asset
    for asset in (
        _asset("btc", "Bitcoin", 81_234.0, 0.45, 2),
        _asset("eth", "Ethereum", 2_912.0, 0.65, 2),
        _asset("sol", "Solana", 141.5, 0.80, 2),
        _asset("xrp", "XRP", 1.62, 0.80, 4),
        _asset("doge", "Dogecoin", 0.1443, 0.90, 5),
        _asset("bnb", "BNB", 771.0, 0.55, 2),
        _asset("hype", "Hyperliquid", 34.1, 1.00, 3),
        _asset("zec", "Zcash", 412.0, 1.10, 2),
    )
}
