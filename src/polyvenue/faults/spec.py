"""A fault of any kind, read from JSON, and the one line that orders it again."""

import msgspec

from polyvenue.faults.transport import HttpFault, WsFault
from polyvenue.faults.within import BalanceFault, EngineFault, JobFault, TradeFault

AnyFault = HttpFault | WsFault | TradeFault | JobFault | EngineFault | BalanceFault


def decode_fault(data: bytes) -> AnyFault:
    """A fault of its JSON. ValueError with one line that says what is wrong and where."""
    try:
        return _DECODER.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as broken:
        raise ValueError(f"fault: {broken}") from broken


def fault_line(fault: AnyFault) -> str:
    """One line that orders the same fault again."""
    return "POST /faults " + msgspec.json.encode(shown(fault)).decode()


def shown(fault: AnyFault) -> dict[str, object]:
    """A fault as JSON, without what was left out."""
    built: dict[str, object] = msgspec.to_builtins(fault)
    return {key: value for key, value in built.items() if value is not None and value != {}}


_DECODER: msgspec.json.Decoder[AnyFault] = msgspec.json.Decoder(AnyFault)
