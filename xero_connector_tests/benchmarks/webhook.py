"""T7: how soon a webhook is answered, beside Odoo's own `/web/health`.

One Odoo server process with threads (`--workers 0`), without scheduled actions. The kinds of requests take turns in
short slices: whatever slows the machine slows all.
"""

import contextlib
import os
import secrets
import sys
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import uuid4

from odoo import fields

from ..sandbox.console import say
from ..sandbox.fake_xero.webhook_wire import payload, sign
from ..sandbox.paths import CONFIG, LOG
from ..sandbox.processes import Child, free_port
from .figures import Figure
from .load import Stream, request, send
from .site import Site

RATE = 50  # requests a second
SLICE = 1  # seconds
ROUNDS = 20
WARM_UP = 4  # rounds that are not counted
KNOWN = 100
STATUSES = {'health': 200, 'new': 200, 'duplicate': 200, 'forged': 401}


def measure(env, books, task: dict) -> list[Figure]:
    site = Site(env, books)
    door = Door(site)
    streams = {name: Stream(name, status) for name, status in STATUSES.items()}
    with _serving(task['databases'][0]) as port:
        for turn in range(-WARM_UP, ROUNDS):
            for stream in sorted(streams.values(), key=lambda stream: stream.name, reverse=turn % 2):
                send(stream, port, [door.request(port, stream.name) for _each in range(RATE * SLICE)], RATE)
                if turn < 0:
                    stream.times.clear()
            say(f"  round {turn + 1} of {ROUNDS}" if turn >= 0 else "  warming up")
    door.check()
    return [_figure(streams)]


class Door:
    """What comes to the webhook of an app with one connection, and what it knows already."""

    def __init__(self, site: Site):
        self.env = site.env
        self.connection, organisation = site.connect("Webhooks", 10)
        organisation.add_invoices(KNOWN)
        site.ring(self.connection)
        site.import_news(self.connection)
        site.check(self.connection, organisation)
        # From here on as in daily use, only that nobody looks for what rings.
        self.connection.write({
            'sync_interval': 'five_minutes', 'next_poll': fields.Datetime.now() + timedelta(days=1)})
        self.key = secrets.token_urlsafe(48)
        site.app.webhook_key = self.key
        self.path = urlsplit(site.app.webhook_url).path
        rows = self.env['xero.record'].search([('resource', '=', 'invoice')])
        self.known = [(row.external_id, row.remote_updated) for row in rows]
        self.tenant_id = self.connection.tenant_id
        self.sent = dict.fromkeys(STATUSES, 0)
        self.env.cr.commit()

    def request(self, port: int, kind: str) -> bytes:
        number = self.sent[kind]
        self.sent[kind] += 1
        if kind == 'health':
            return request(port, 'GET', '/web/health')
        known = kind == 'duplicate'
        invoice_id, stamp = self.known[number % KNOWN] if known else (str(uuid4()), '2026-11-22T03:04:05.678')
        body = payload([{
            'resourceUrl': f'https://api.xero.com/api.xro/2.0/Invoices/{invoice_id}', 'resourceId': invoice_id,
            'eventDateUtc': stamp, 'eventType': 'UPDATE', 'eventCategory': 'INVOICE', 'tenantId': self.tenant_id,
            'tenantType': 'ORGANISATION',
        }], number + 1, number + 1)
        signature = sign("forged" if kind == 'forged' else self.key, body)
        return request(
            port, 'POST', self.path, body, content_type='application/json', x_xero_signature=signature)

    def check(self) -> None:
        """Refuse to go on when not each new event rang, or another did: what was measured were not webhooks."""
        self.env.cr.rollback()
        rings = self.env['xero.bell'].search_count([])
        if rings != self.sent['new']:
            raise RuntimeError(f"{self.sent['new']} new events rang {rings} times")


@contextlib.contextmanager
def _serving(database: str):
    """Odoo's server, from the moment it answers; yields its port."""
    port = free_port()
    server = Child(
        'bench-odoo', [
            sys.executable, '-m', 'odoo', '--config', CONFIG, '--database', database, '--http-port', port,
            '--workers', 0, '--max-cron-threads', 0,
        ], LOG / 'odoo-bench-web.log', env=os.environ)
    try:
        server.wait_until_it_answers(f'http://127.0.0.1:{port}/web/health', 60)
        yield port
    finally:
        server.stop()


def _figure(streams: dict[str, Stream]) -> Figure:
    figure = Figure('T7', streams['new'].percentile(0.99) / streams['health'].percentile(0.99), 3, 'ratio')
    for name, stream in streams.items():
        figure.add(f'{name}_p50', stream.percentile(0.5), 'ms')
        figure.add(f'{name}_p99', stream.percentile(0.99), 'ms')
    figure.add('requests_of_each_kind', len(streams['new'].times), 'requests')
    figure.add('rate', RATE, 'requests/s')
    return figure
