"""A JSON-RPC node of the chain: what clients read and send, for wallets of signature type 0.

Calls that no contract of ours has revert. Gas is free and of a fixed amount.
"""

from polyvenue.exchange.events import JobState
from polyvenue.exchange.orders import PUSD, Refusal
from polyvenue.market_data.text import NS
from polyvenue.server import abi, http
from polyvenue.server.chain import Chain, ChainCall
from polyvenue.server.gate import Call, Reply
from polyvenue.server.venue import Venue
from polyvenue.signing.addresses import Address, read_address
from polyvenue.signing.eip712 import CHAIN_ID

GAS = 300_000
GAS_PRICE = 30_000_000_000
BLOCK_NS = 1_500_000_000
BATCH_MAX = 100
_MINED = (JobState.MINED, JobState.CONFIRMED)


class RpcError(Exception):
    """An error object of JSON-RPC."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


REVERTED = (-32_000, "execution reverted")


class Rpc:
    """Answers every request below the node's prefix."""

    def __init__(self, venue: Venue, chain: Chain) -> None:
        self._venue = venue
        self._chain = chain

    async def answer(self, call: Call) -> Reply:
        """One request: a single call or a batch."""
        if call.method != "POST":
            return http.error(405, "method not allowed")
        try:
            raw = http.read_json(call.body)
        except ValueError:
            return http.json_reply(_failed(None, RpcError(-32_700, "parse error")))
        if isinstance(raw, list):
            if not 0 < len(raw) <= BATCH_MAX:
                return http.json_reply(_failed(None, RpcError(-32_600, "invalid batch")))
            return http.json_reply([self._one(item) for item in raw])
        return http.json_reply(self._one(raw))

    def _one(self, raw: object) -> dict[str, object]:
        number = raw.get("id") if isinstance(raw, dict) else None
        try:
            if not isinstance(raw, dict) or not isinstance(raw.get("method"), str):
                raise RpcError(-32_600, "invalid request")
            params = raw.get("params", [])
            if not isinstance(params, list):
                raise RpcError(-32_602, "invalid params")
            result = self._do(raw["method"], params)
        except RpcError as error:
            return _failed(number, error)
        except (ValueError, IndexError, TypeError, AttributeError):
            return _failed(number, RpcError(-32_602, "invalid params"))
        return {"jsonrpc": "2.0", "id": number, "result": result}

    def _do(self, method: str, params: list[object]) -> object:
        """The result of a method. ValueError, IndexError, TypeError for wrong parameters."""
        match method:
            case "eth_chainId":
                return hex(CHAIN_ID)
            case "eth_blockNumber":
                return hex(self._block())
            case "eth_getBlockByNumber":
                return self._block_object()
            case "eth_gasPrice":
                return hex(GAS_PRICE)
            case "eth_estimateGas":
                return hex(GAS)
            case "eth_getTransactionCount":
                return hex(self._chain.nonce(_address(params[0])))
            case "eth_call":
                return self._call(params[0])
            case "eth_sendRawTransaction":
                return self._send(params[0])
            case "eth_getTransactionReceipt":
                return self._receipt(params[0])
            case _:
                raise RpcError(-32_601, f"the method {method[:60]} does not exist")

    def _block(self) -> int:
        return self._venue.exchange.now_ns // BLOCK_NS

    def _block_object(self) -> dict[str, object]:
        number = self._block()
        return {"number": hex(number), "timestamp": hex(self._venue.exchange.now_ns // NS)}

    def _call(self, raw: object) -> str:
        if not isinstance(raw, dict):
            raise RpcError(-32_602, "invalid params")
        to, data = _address(raw.get("to")), _data(raw.get("data") or raw.get("input"))
        name, words = data[:4], abi.Words(data[4:])
        chain = self._chain
        if to == abi.PUSD_ADDRESS and name == abi.BALANCE:
            return abi.words_hex(chain.balance(words.address(0), PUSD))
        if name == abi.ALLOWANCE:
            return abi.words_hex(chain.allowance(words.address(0), to, words.address(1)))
        if name == abi.IS_APPROVED_ALL:
            approved = chain.allowance(words.address(0), to, words.address(1)) > 0
            return abi.words_hex(int(approved))
        if to == abi.CONDITIONAL_TOKENS:
            return self._call_tokens(name, words)
        raise RpcError(*REVERTED)

    def _call_tokens(self, name: bytes, words: abi.Words) -> str:
        chain = self._chain
        if name == abi.TOKEN_BALANCE:
            return abi.words_hex(chain.balance(words.address(0), str(words.number(1))))
        if name == abi.TOKEN_BALANCES:
            pairs = zip(words.row(0), words.row(1), strict=True)
            held = [chain.balance(words.address(a), str(words.number(t))) for a, t in pairs]
            return abi.array_hex(held)
        if name in (abi.PAYOUT_DENOMINATOR, abi.PAYOUT_NUMERATOR):
            payouts = chain.payouts("0x" + words.raw(0).hex()) or (0, 0)
            if name == abi.PAYOUT_DENOMINATOR:
                return abi.words_hex(sum(payouts))
            return abi.words_hex(payouts[words.number(1)])
        raise RpcError(*REVERTED)

    def _send(self, raw: object) -> str:
        sent = abi.read_transaction(_data(raw))
        if sent.value or sent.sender not in self._venue.deployed:
            raise RpcError(-32_000, "insufficient funds for gas * price + value")
        expected = self._chain.nonce(sent.sender)
        if sent.nonce < expected:
            raise RpcError(-32_000, "nonce too low")
        if sent.nonce > expected:
            raise RpcError(-32_000, "nonce too high")
        made = self._chain.submit(sent.sender, [ChainCall(sent.to, sent.data)], sent.tx_hash)
        if isinstance(made, Refusal):
            raise RpcError(*REVERTED)
        return made.tx_hash

    def _receipt(self, raw: object) -> dict[str, object] | None:
        found = self._chain.find(raw) if isinstance(raw, str) else None
        if found is None:
            return None
        state = self._chain.view(found).state
        if state not in (*_MINED, JobState.FAILED, JobState.INVALID):
            return None
        return {
            "transactionHash": found.tx_hash,
            "blockNumber": hex(self._block()),
            "from": found.wallet,
            "status": "0x1" if state in _MINED else "0x0",
            "gasUsed": hex(GAS),
            "logs": [],
        }


def _failed(number: object, error: RpcError) -> dict[str, object]:
    body = {"code": error.code, "message": error.message}
    return {"jsonrpc": "2.0", "id": number, "error": body}


def _address(raw: object) -> Address:
    found = read_address(raw) if isinstance(raw, str) else None
    if found is None:
        raise RpcError(-32_602, "invalid address")
    return found


def _data(raw: object) -> bytes:
    if not isinstance(raw, str) or not raw.startswith("0x"):
        raise RpcError(-32_602, "invalid hex data")
    return bytes.fromhex(raw[2:])
