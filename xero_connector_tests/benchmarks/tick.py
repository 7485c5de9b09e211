"""T8_tick_sql: what the scheduler's frequent actions cost while 500 connections have nothing to do."""

from datetime import timedelta

from odoo import fields

from .figures import Figure
from .gauges import measured
from .site import Site

CONNECTIONS = 500
OFTEN = timedelta(minutes=10)


def measure(env, books, task: dict) -> list[Figure]:
    site = Site(env, books)
    connection, _organisation = site.connect("Tick", 1)
    _add_idle(site, connection)
    crons = _frequent(env)
    for cron in crons:
        run_action(cron)
    books.calls()
    parts = {_name(cron): run_action(cron) for cron in crons}
    figure = Figure('T8_tick_sql', sum(parts.values()), 25, 'statements')
    for name, statements in parts.items():
        figure.add(name, statements, 'statements')
    figure.add('with_the_schedulers_own', sum(_trigger(cron) for cron in crons), 'statements')
    figure.add('xero_calls', len(books.calls()), 'calls')
    figure.add('connections', env['xero.connection'].search_count([('state', '=', 'connected')]), 'connections')
    return [figure]


def _add_idle(site, connection) -> None:
    """Connections that were asked a moment ago, and the one there is with them."""
    later = fields.Datetime.now() + timedelta(minutes=5)
    connection.write({'sync_interval': 'five_minutes', 'next_poll': later})
    site.env['xero.connection'].create([{
        'name': f"Idle {number}",
        'app_id': site.app.id,
        'grant_id': connection.sudo().grant_id.id,
        'state': 'connected',
        'tenant_id': f'00000000-0000-4000-8000-{number:012}',
        'next_poll': later,
    } for number in range(1, CONNECTIONS)])
    site.env.cr.commit()


def _frequent(env):
    """The addon's scheduled actions that run at least every ten minutes."""
    ids = env['ir.model.data'].search(
        [('module', '=', 'xero_connector'), ('model', '=', 'ir.cron')]).mapped('res_id')
    crons = env['ir.cron'].browse(ids)
    return crons.filtered(
        lambda cron: cron.interval_type == 'minutes' and timedelta(minutes=cron.interval_number) <= OFTEN)


def _name(cron) -> str:
    return cron.get_external_id()[cron.id].partition('.')[2]


def run_action(cron) -> int:
    """The action itself in a transaction of its own, its progress noted as in the scheduler.

    :return: its SQL statements
    """
    with cron.env.registry.cursor() as cr:
        mine = cron.with_env(cron.env(cr=cr, user=cron.user_id.id, context={'cron_id': cron.id}))
        mine, _progress = mine._add_progress()
        cr.commit()
        model = mine.env[mine.model_id.model]
        method = getattr(model, mine.code.removeprefix('model.').removesuffix('()'))
        cr.commit()
        with measured() as found:
            method()
            mine.env.flush_all()
        return found.statements


def _trigger(cron) -> int:
    """:return: the SQL statements of the action and of the scheduler around it"""
    with measured() as found:
        cron.method_direct_trigger()
        cron.env.cr.commit()
    return found.statements
