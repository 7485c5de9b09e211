"""What people did with the addon's first version, for `test_upgrade.py`: it runs in a process of its own, as that one
has today's addon.

Usage: live.py CONFIG ADDONS_PATH DATABASE. Each line it reads is a list: the name of a step, and its arguments; it
answers each with a line. It knows nothing but version 19.0.1.0.0, and is not to be kept up with later ones.
"""

import json
import sys
from urllib.parse import parse_qs, urlsplit

import requests

from odoo import SUPERUSER_ID, api
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tools import config


def set_up(env, addresses, client_id, client_secret, webhook_key):
    """Two connections with settings of every kind, not connected yet."""
    for name, address in addresses.items():
        env["ir.config_parameter"].set_param(f"xero_connector.{name}", address)
    env["ir.config_parameter"].set_param("web.base.url", "http://localhost:8069")
    gold_coast = env["stock.warehouse"].create({"name": "Gold Coast", "code": "GC"})
    warehouse = env["stock.warehouse"].search([("code", "=", "WH")])
    freight = env["product.product"].create({"name": "Freight", "type": "service"})
    bottle, mug = env["product.product"].create(
        [
            {"name": name, "default_code": code, "type": "consu", "is_storable": True, "list_price": price}
            for code, name, price in (("BOTTLE", "Drink bottle", 20), ("MUG", "Enamel mug", 12))
        ]
    )
    dozen = env.ref("uom.product_uom_dozen")
    dozen.active = True
    owner = env["res.partner"].create(
        {"name": "Kauri Ltd", "is_company": True, "xero_warehouse_ids": [Command.set([warehouse.id, gold_coast.id])]}
    )
    app = env["xero.app"].create(
        {
            "name": "Landed",
            "client_id": client_id,
            "client_secret": client_secret,
            "webhook_key": webhook_key,
            "tier": "core",
        }
    )
    env["xero.app"].create(
        {"name": "Own", "client_id": "own", "client_secret": "own secret", "grant_type": "client_credentials"}
    )
    orders = env["xero.connection"].create(
        {
            "name": "Orders",
            "app_id": app.id,
            "warehouse_id": warehouse.id,
            "order_confirm": True,
            "note_target": "delivery",
            "price_source": "xero",
            "description_source": "xero",
            "service_product_id": freight.id,
            "ship_to_source": "postal_first",
            "log_days": 30,
            "user_id": env.ref("base.user_admin").id,
            "mapping_ids": [
                Command.create({"sequence": 1, "reference_contains": "pickup", "action": "ignore"}),
                Command.create({"sequence": 2, "reference_contains": "GC", "warehouse_id": gold_coast.id}),
            ],
            "product_mapping_ids": [
                Command.create({"item_code": "BOTTLE-12", "product_id": bottle.id, "uom_id": dozen.id}),
            ],
        }
    )
    env["xero.connection"].create(
        {
            "name": "Transfers",
            "app_id": app.id,
            "partner_id": owner.id,
            "order_target": "picking",
            "attach_pdf": False,
            "sync_interval": "daily",
            "unmatched_action": "ignore",
            "accept_incomplete_address": True,
            "mapping_ids": [Command.create({"reference_contains": "3PL", "warehouse_id": warehouse.id})],
        }
    )
    orders.message_subscribe(env.ref("base.partner_admin").ids)
    for product in bottle | mug:
        env["stock.quant"]._update_available_quantity(product, gold_coast.lot_stock_id, 100)


def ask_for_consent(env, name):
    """What a browser brings back from Xero's page."""
    url = env["xero.connection"].search([("name", "=", name)]).action_connect()["url"]
    env.cr.commit()
    answer = requests.get(url, allow_redirects=False, timeout=10)
    return {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def consent(env, state, code):
    connection = env["xero.connection"]._connection_from_state(state)
    return connection._complete_consent(code)


def read(env):
    """Look for news, and leave it at that."""
    for connection in env["xero.connection"].search([("state", "=", "connected")]):
        connection._ring()
        connection._poll_safely()


def work(env):
    """Look for news, make orders of it, fetch files."""
    read(env)
    env["xero.record"]._cron_process()
    env["xero.record"]._cron_files()


def print_picking_list(env, number):
    env["sale.order"].search([("xero_invoice_number", "=", number)]).picking_ids.printed = True


def ignore(env, number, reason):
    env["xero.record"].search([("number", "=", number)]).action_ignore(reason)


def pause(env, name):
    env["xero.connection"].search([("name", "=", name)]).action_pause()


def tell(env):
    """The sync log: how each invoice is."""
    rows = env["xero.record"].search([("resource", "=", "invoice")])
    return {row.number: [row.state, row.problem_code, row.change_state, row.res_model, row.files_state] for row in rows}


STEPS = {step.__name__: step for step in (
    set_up, ask_for_consent, consent, read, work, print_picking_list, ignore, pause, tell)}


def main(config_file, addons_path, database):
    config.parse_config(
        ["--config", config_file, "--addons-path", addons_path, "--database", database, "--no-http",
         "--log-level", "warn"],
        setup_logging=True,
    )
    registry = Registry(database)
    for line in sys.stdin:
        step, *arguments = json.loads(line)
        with registry.cursor() as cr:
            answer = STEPS[step](api.Environment(cr, SUPERUSER_ID, {}), *arguments)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
