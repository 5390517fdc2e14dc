"""Who may do what: order hashes and signatures, wallets, API keys, request signatures, rate limits.

Pure and synchronous: time, seeds and random bytes are arguments; nothing here reads a clock or a
socket. A request that must not pass is a `Refusal` value with the venue's status and text.
"""
