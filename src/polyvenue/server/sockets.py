"""One accepted WebSocket: a bounded queue out, one writer, frames in one by one.

Frames of the protocol state machines go out through the gate. A client that owes too many reads is
slow and is closed; what it missed is never sent again.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from aiohttp import WSMsgType, web

from polyvenue.market_data.frames import Close, Out, Ping, Send
from polyvenue.server.gate import Gate

MESSAGE_BYTES_MAX = 1 << 22
SLOW = Close(1008, "slow consumer")
CLOSE_TIMEOUT_S = 2.0
TOGETHER_MAX = 64
BUFFERED_BYTES_MAX = 1 << 18
DRAIN_S = 0.005


class Client:
    """A connected client; `receive` and `pong` are the state machine behind it."""

    def __init__(
        self, service: str, number: int, gate: Gate, queue_max: int, slow: Close = SLOW
    ) -> None:
        self.service = service
        self.number = number
        self.on_frame: Callable[[str | bytes], list[Out]] = lambda data: []
        self.on_pong: Callable[[bytes], list[Out]] = lambda data: []
        self._gate = gate
        self._queue_max = queue_max
        self._slow = slow
        self._queue: deque[Out] = deque()
        self._wake = asyncio.Event()
        self._ending = False
        self._socket = web.WebSocketResponse(
            autoping=False, compress=False, max_msg_size=MESSAGE_BYTES_MAX, timeout=CLOSE_TIMEOUT_S
        )
        self._transport: asyncio.Transport | None = None

    @property
    def room(self) -> int:
        """How many frames fit before the client counts as slow."""
        return self._queue_max - len(self._queue)

    def put(self, out: Out) -> None:
        """Send through the gate, ping or close."""
        if isinstance(out, Send):
            for text in self._gate.frame_out(self, out.text):
                self.push(text)
        else:
            self._append(out)

    def push(self, text: str) -> None:
        """Send a frame now, past the gate."""
        self._append(Send(text))

    def receive(self, data: str | bytes) -> None:
        """Take a client's frame now, past the gate."""
        for out in self.on_frame(data):
            self.put(out)

    def close(self, code: int, reason: str = "") -> None:
        """Close with a code, after what is queued."""
        self._append(Close(code, reason))

    def cut(self) -> None:
        """Reset the connection without a close frame."""
        self._ending = True
        if self._transport is not None:
            self._transport.abort()

    def _append(self, out: Out) -> None:
        if self._ending:
            return
        if len(self._queue) >= self._queue_max and not isinstance(out, Close):
            out = self._slow
            self._queue.clear()
            # the writer may be stuck in a write that this client never reads
            asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self.cut)
        self._ending = isinstance(out, Close)
        self._queue.append(out)
        self._wake.set()

    async def run(self, request: web.BaseRequest) -> web.WebSocketResponse:
        """Shake hands and serve until one side closes."""
        await self._socket.prepare(request)
        self._transport = request.transport
        writer = asyncio.create_task(self._write())
        try:
            async for message in self._socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    for data in self._gate.frame_in(self, message.data):
                        self.receive(data)
                elif message.type is WSMsgType.PING:
                    await self._socket.pong(message.data)
                elif message.type is WSMsgType.PONG:
                    for out in self.on_pong(bytes(message.data)):
                        self.put(out)
        finally:
            self._ending = True
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return self._socket

    async def _write(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._queue:
                    if texts := self._take_texts():
                        await self._send(texts)
                        continue
                    out = self._queue.popleft()
                    if isinstance(out, Send):
                        await self._socket.send_str(out.text)
                    elif isinstance(out, Ping):
                        await self._socket.ping(out.payload)
                    else:
                        message = out.reason.encode()
                        await self._socket.close(code=out.code, message=message)
                        return
        except (ConnectionError, RuntimeError):  # the client went away while we wrote
            self.cut()

    def _take_texts(self) -> list[str]:
        """The text frames at the head of the queue, if there are several, out of it."""
        texts: list[str] = []
        while len(texts) < TOGETHER_MAX and len(self._queue) > 1:
            head = self._queue[0]
            if not isinstance(head, Send):
                break
            texts.append(head.text)
            self._queue.popleft()
        return texts

    async def _send(self, texts: list[str]) -> None:
        """Several frames in one write: a system call for each would be most of the work."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client is gone")
        transport.write(b"".join(map(text_frame, texts)))
        while transport.get_write_buffer_size() > BUFFERED_BYTES_MAX:
            if transport.is_closing():
                raise ConnectionResetError("the client is gone")
            await asyncio.sleep(DRAIN_S)


def text_frame(text: str) -> bytes:
    """A whole unmasked text frame (RFC 6455), as `send_str` writes it without compression."""
    payload = text.encode()
    length = len(payload)
    if length < 126:
        return bytes((0x81, length)) + payload
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2, "big") + payload
    return b"\x81\x7f" + length.to_bytes(8, "big") + payload
