"""A load balancer on this machine: each connection goes to the next node that takes it. Standard library only."""

import asyncio
import contextlib
import itertools
import threading

BLOCK = 65_536


class Balancer:
    """Listens on `port` of 127.0.0.1 while entered, and passes bytes to and from the ports of the nodes."""

    def __init__(self, port: int, nodes: list[int]):
        self.port, self._nodes = port, nodes
        self._turn = itertools.count()
        self._loop = asyncio.new_event_loop()
        self._open = set()  # the loop itself keeps no task alive
        self._thread = threading.Thread(target=self._loop.run_forever, name='balancer', daemon=True)

    def __enter__(self):
        self._thread.start()
        try:
            self._wait_for(asyncio.start_server(self._accept, '127.0.0.1', self.port))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_error):
        self._end()

    def _wait_for(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def _end(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _accept(self, reader, writer):
        task = self._loop.create_task(self._pass_on(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _pass_on(self, reader, writer):
        with contextlib.closing(writer):
            for _node in self._nodes:
                port = self._nodes[next(self._turn) % len(self._nodes)]
                with contextlib.suppress(OSError):
                    node_reader, node_writer = await asyncio.open_connection('127.0.0.1', port)
                    break
            else:
                return
            with contextlib.closing(node_writer):
                upwards = asyncio.ensure_future(_pump(reader, node_writer))
                # a node that is gone ends the connection, whatever the other side still waits for
                await _pump(node_reader, writer)
                upwards.cancel()


async def _pump(reader, writer):
    """Pass bytes on until one side ends; then the other one hears of it."""
    with contextlib.suppress(OSError):
        while block := await reader.read(BLOCK):
            writer.write(block)
            await writer.drain()
        writer.write_eof()
