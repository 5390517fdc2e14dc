"""The venue's answer to a request that must not pass: HTTP status and text, as a value."""

from __future__ import annotations

import msgspec


class Refusal(msgspec.Struct, frozen=True):
    """HTTP status and the text of the field `error` (or `errorMsg` in a batch)."""

    status: int
    text: str


INVALID_PAYLOAD = Refusal(400, "Invalid order payload")
VERSION_MISMATCH = Refusal(400, "order_version_mismatch")
# Clients report this text for every kind of wrong order signature (py-clob-client#94, #198).
INVALID_SIGNATURE = Refusal(400, "invalid signature")
FOREIGN_OWNER = Refusal(400, "the order owner has to be the owner of the API KEY")
FOREIGN_SIGNER = Refusal(400, "the order signer address has to be the address of the API KEY")
INVALID_L1 = Refusal(401, "Invalid L1 Request headers")
INVALID_L2 = Refusal(401, "Unauthorized/Invalid api key")
KEY_EXISTS = Refusal(400, "Could not create api key")
KEY_ABSENT = Refusal(400, "Could not derive api key!")
TOO_MANY_REQUESTS = Refusal(429, "Too Many Requests")
