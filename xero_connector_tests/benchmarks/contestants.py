"""Other ways to the same orders, to compare the addon with.

Both get a cursor and an environment of their own, as a scheduled action does, and work as the same user.
"""

from contextlib import contextmanager

from odoo import SUPERUSER_ID, api
from odoo.fields import Command

# The addon's own. By trial with 10, 25, 50, 100 and 300 bare Odoo is slower below it and no faster above.
BATCH_SIZE = 100


@contextmanager
def _environment(site):
    with site.env.registry.cursor() as cr:
        yield api.Environment(cr, SUPERUSER_ID, {})


def values_of(orders) -> list[dict]:
    """What is to be given to `create` for the same orders once more, without their tie to Xero."""
    return [{
        'company_id': order.company_id.id,
        'partner_id': order.partner_id.id,
        'partner_shipping_id': order.partner_shipping_id.id,
        'warehouse_id': order.warehouse_id.id,
        'client_order_ref': order.client_order_ref,
        'origin': order.origin,
        'pricelist_id': order.pricelist_id.id,
        'user_id': order.user_id.id,
        'validity_date': order.validity_date,
        'order_line': [Command.create({
            'product_id': line.product_id.id,
            'product_uom_qty': line.product_uom_qty,
            'name': line.name,
            'price_unit': line.price_unit,
            'discount': line.discount,
            'tax_ids': [Command.set(line.tax_ids.ids)],
        }) for line in order.order_line],
    } for order in orders]


def bare(site, values: list[dict], confirm: bool) -> None:
    """Odoo alone, nothing looked up: one batched `create`, confirmed if so, per transaction."""
    with _environment(site) as env:
        for start in range(0, len(values), BATCH_SIZE):
            orders = env['sale.order'].create(values[start:start + BATCH_SIZE])
            if confirm:
                orders.action_confirm()
            env.cr.commit()


def loop(site, invoices: list[dict]) -> None:
    """What one writes first: order by order, everything searched for, confirmed, committed.

    :param invoices: as Xero sends them, read beforehand
    """
    with _environment(site) as env:
        for invoice in invoices:
            partner = env['res.partner'].search([('name', '=', invoice['Contact']['Name'])], limit=1)
            lines = []
            for line in invoice['LineItems']:
                product = env['product.product'].search([('default_code', '=', line['ItemCode'])], limit=1)
                lines.append(Command.create({
                    'product_id': product.id,
                    'name': line['Description'],
                    'product_uom_qty': line['Quantity'],
                    'price_unit': line['UnitAmount'],
                }))
            order = env['sale.order'].create({
                'partner_id': partner.id,
                'warehouse_id': site.warehouse.id,
                'client_order_ref': invoice['Reference'],
                'order_line': lines,
            })
            order.action_confirm()
            env.cr.commit()
