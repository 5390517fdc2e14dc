"""Errors by consequence.

PolybawtError
+-- BadInput        the user's file, folder, option or configuration: one clear line, exit code 2
|   +-- DecodeError a frame or row that cannot be decoded; counted and set aside where allowed
+-- InvariantError  our own bug or an impossible fact: stop, never continue on it
"""

from __future__ import annotations


class PolybawtError(Exception):
    """Root of every error this program raises on purpose."""


class BadInput(PolybawtError):
    """What, where, the allowed range, and what to do: the message is one line for a person."""


class DecodeError(BadInput):
    """Bytes from outside that do not say what they must."""


class InvariantError(PolybawtError):
    """An invariant of the core is broken; nothing may be traded on this state."""
