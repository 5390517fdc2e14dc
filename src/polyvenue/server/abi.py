"""The few contract calls that clients make, and the RLP of a signed legacy transaction.

Selectors are the first four bytes of the hash of a signature (Solidity ABI); everything else is
32-byte words.
"""

import msgspec

from polyvenue.signing.addresses import Address, address_text
from polyvenue.signing.eip712 import CHAIN_ID, word
from polyvenue.signing.keccak import keccak256
from polyvenue.signing.keys import recover

WORD = 32
PUSD_ADDRESS = Address("0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB")
CONDITIONAL_TOKENS = Address("0x4D97DCd97eC945f40cF65F87097ACe5EA0476045")
COLLATERAL_ADAPTER = Address("0xAdA100Db00Ca00073811820692005400218FcE1f")


def selector(signature: str) -> bytes:
    """The four bytes that name a function."""
    return keccak256(signature.encode())[:4]


SPLIT = selector("splitPosition(address,bytes32,bytes32,uint256[],uint256)")
MERGE = selector("mergePositions(address,bytes32,bytes32,uint256[],uint256)")
REDEEM = selector("redeemPositions(address,bytes32,bytes32,uint256[])")
APPROVE = selector("approve(address,uint256)")
APPROVE_ALL = selector("setApprovalForAll(address,bool)")
TRANSFER = selector("transfer(address,uint256)")
ALLOWANCE = selector("allowance(address,address)")
IS_APPROVED_ALL = selector("isApprovedForAll(address,address)")
BALANCE = selector("balanceOf(address)")
TOKEN_BALANCE = selector("balanceOf(address,uint256)")
TOKEN_BALANCES = selector("balanceOfBatch(address[],uint256[])")
PAYOUT_DENOMINATOR = selector("payoutDenominator(bytes32)")
PAYOUT_NUMERATOR = selector("payoutNumerators(bytes32,uint256)")


class Words:
    """The arguments of a call, read by position. ValueError beyond their end."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def raw(self, index: int) -> bytes:
        """One word."""
        found = self._data[index * WORD : (index + 1) * WORD]
        if len(found) != WORD:
            raise ValueError("the call data ends early")
        return found

    def number(self, index: int) -> int:
        """A uint256."""
        return int.from_bytes(self.raw(index), "big")

    def address(self, index: int) -> Address:
        """An address."""
        return address_text(self.raw(index)[12:])

    def row(self, index: int) -> list[int]:
        """Where the dynamic array of argument `index` has its items, as word positions."""
        offset = self.number(index)
        if offset % WORD or offset > len(self._data):
            raise ValueError("the call data has an offset out of range")
        start = offset // WORD
        count = self.number(start)
        if count > len(self._data) // WORD:
            raise ValueError("the call data has an array that is too long")
        return list(range(start + 1, start + 1 + count))


def words_hex(*values: int) -> str:
    """Words as a node returns them."""
    return "0x" + b"".join(map(word, values)).hex()


def array_hex(values: list[int]) -> str:
    """A dynamic array of uint256 as a node returns it."""
    return words_hex(WORD, len(values), *values)


class SentTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """A signed transaction: who sent it, to whom, with which call."""

    sender: Address
    nonce: int
    to: Address
    value: int
    data: bytes
    tx_hash: str


def read_transaction(raw: bytes) -> SentTransaction:
    """A legacy transaction with the chain id in its signature (EIP-155). ValueError otherwise."""
    fields, rest = _decode(raw)
    if rest or not isinstance(fields, list) or len(fields) != 9:
        raise ValueError("not a legacy transaction of nine fields")
    items = [item for item in fields if isinstance(item, bytes)]
    if len(items) != 9 or len(items[3]) != 20:
        raise ValueError("a field of the transaction is malformed")
    v, r, s = (int.from_bytes(item, "big") for item in items[6:])
    parity = v - (CHAIN_ID * 2 + 35)
    if parity not in (0, 1) or r >> 256 or s >> 256:
        raise ValueError(f"the signature is not one of chain {CHAIN_ID}")
    unsigned = [*items[:6], CHAIN_ID.to_bytes(1, "big"), b"", b""]
    signature = word(r) + word(s) + bytes((27 + parity,))
    sender = recover(keccak256(_encode_list(unsigned)), signature)
    if sender is None:
        raise ValueError("the signature names no key")
    return SentTransaction(
        sender=sender,
        nonce=int.from_bytes(items[0], "big"),
        to=address_text(items[3]),
        value=int.from_bytes(items[4], "big"),
        data=items[5],
        tx_hash="0x" + keccak256(raw).hex(),
    )


Rlp = bytes | list["Rlp"]


def _decode(raw: bytes, depth: int = 0) -> tuple[Rlp, bytes]:
    """One RLP item and the bytes after it."""
    if not raw or depth > 4:
        raise ValueError("the transaction is not RLP")
    head = raw[0]
    if head < 0x80:
        return raw[:1], raw[1:]
    is_list = head >= 0xC0
    short = head - (0xC0 if is_list else 0x80)
    start, length = 1, short
    if short > 55:
        start = 1 + short - 55
        length = int.from_bytes(raw[1:start], "big")
    body, rest = raw[start : start + length], raw[start + length :]
    if len(body) != length:
        raise ValueError("the transaction ends early")
    if not is_list:
        return body, rest
    items: list[Rlp] = []
    while body:
        item, body = _decode(body, depth + 1)
        items.append(item)
    return items, rest


def _encode_list(items: list[bytes]) -> bytes:
    body = b"".join(
        item if len(item) == 1 and item[0] < 0x80 else _head(0x80, len(item)) + item
        for item in items
    )
    return _head(0xC0, len(body)) + body


def _head(base: int, length: int) -> bytes:
    if length <= 55:
        return bytes((base + length,))
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((base + 55 + len(size),)) + size
