"""Requests at a steady rate, whether or not the earlier ones have been answered: as Xero's would come."""

import asyncio
import re
import time
from dataclasses import dataclass, field

PATIENCE = 30  # seconds for one answer


@dataclass
class Stream:
    """One kind of request, the status it is to get, and how long each took (milliseconds).

    A time begins when the request was due, not when it was sent: a server that keeps the next one waiting pays.
    """

    name: str
    status: int
    times: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def request(port: int, method: str, path: str, body: bytes = b'', **headers) -> bytes:
    """The bytes of a request that asks for the connection to be closed; of `some_name=` a header `some-name`."""
    lines = [
        f'{method} {path} HTTP/1.1', f'Host: localhost:{port}', 'Connection: close', f'Content-Length: {len(body)}',
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()), '', '',
    ]
    return '\r\n'.join(lines).encode() + body


def send(stream: Stream, port: int, requests: list[bytes], rate: float) -> None:
    """Send these, `rate` a second; RuntimeError when one is answered otherwise than expected."""
    stream.times += asyncio.run(_send(stream, port, requests, rate))


async def _send(stream, port, requests, rate):
    begin = time.perf_counter()
    return await asyncio.gather(*(
        _one(stream, port, content, begin + number / rate) for number, content in enumerate(requests)))


async def _one(stream, port, content, due):
    await asyncio.sleep(due - time.perf_counter())
    answer = await asyncio.wait_for(_exchange(port, content), PATIENCE)
    spent = (time.perf_counter() - due) * 1000
    status = answer.split(b' ', 2)[1:2]
    if status != [str(stream.status).encode()]:
        raise RuntimeError(f"{stream.name}: answered {answer[:200]!r} instead of {stream.status}")
    return spent


async def _exchange(port, content):
    """The answer as soon as it is complete: the server's own closing of the connection comes some time later."""
    reader, writer = await asyncio.open_connection('127.0.0.1', port)
    writer.write(content)
    head = await reader.readuntil(b'\r\n\r\n')
    length = re.search(rb'(?i)\r\ncontent-length: *(\d+)', head)
    body = await reader.readexactly(int(length[1])) if length else await reader.read()
    writer.close()
    return head + body
