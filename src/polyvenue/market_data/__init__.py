"""What a client reads: prices, windows, Gamma and CLOB metadata, stream messages.

Everything here is pure and deterministic: time is an argument (`now_ns`, Unix nanoseconds), chance
is a hash of the seed, bytes go in and bytes come out. The servers own sockets and clocks.
"""
