from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..lib import formats, pricing
from ..lib.errors import Problem

_ONE_CENT = formats.decimal("0.01")


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "xero.document.mixin"]

    _one_order_per_xero_invoice = models.UniqueIndex(
        "(company_id, xero_invoice_id) WHERE xero_invoice_id IS NOT NULL", "This Xero invoice is an order already."
    )

    def write(self, vals):
        result = super().write(vals)
        instructions = {key: vals[key] for key in ("delivery_instructions", "packing_instructions") if key in vals}
        if instructions:
            self.picking_ids.filtered(lambda p: p.state not in ("done", "cancel")).write(instructions)
        return result

    # === INVOICED IN XERO === #

    @api.depends("xero_invoice_id")
    def _compute_invoice_status(self):
        """An order that came from an invoice is invoiced, and so is one whose invoice is made there: in Xero."""
        result = super()._compute_invoice_status()
        self._xero_invoiced_there().filtered(lambda order: order.state == "sale").invoice_status = "invoiced"
        return result

    def _xero_invoiced_there(self):
        """Those of these orders whose invoice Xero has, or is to get."""
        others = self.filtered(lambda order: not order.xero_invoice_id and order.state == "sale")
        # sudo: whoever looks at an order knows nothing of the log
        rows_sudo = others.sudo()._xero_out_rows().filtered(lambda row: row.state != "skipped")
        return (self - others).filtered("xero_invoice_id") | self.browse(set(rows_sudo.mapped("res_id")))

    def _create_invoices(self, grouped=False, final=False, date=None):
        if there := self._xero_invoiced_there():
            numbers = ", ".join(
                f"{order.name} ({number})" if (number := order.xero_invoice_number) else order.name for order in there
            )
            raise UserError(
                self.env._("These orders are invoiced in Xero; invoicing them here would bill twice: %s", numbers)
            )
        return super()._create_invoices(grouped=grouped, final=final, date=date)

    # === FROM XERO: MAPPER === #

    def _xero_prepare(self, connection, drafts):
        """Fill each draft's ``values`` or ``problems``; neither when no line is a product. Looks things up once for all
        drafts, writes nothing."""
        products = self._xero_check(connection, drafts)
        self._xero_check_currencies(connection, drafts)
        taxes = self.env["account.tax"]._xero_sale_taxes(connection.company_id)
        for draft in drafts:
            if draft.problems:
                continue
            lines = [
                values
                for line in draft.invoice.lines
                if (values := self._xero_line_values(connection, draft.invoice, line, products, taxes))
            ]
            if not any(values.get("product_id") for values in lines):
                continue
            draft.values = {
                **self._xero_origin_values(connection, draft),
                "company_id": connection.company_id.id,
                "warehouse_id": draft.route.warehouse.id,
                "client_order_ref": draft.invoice.reference,
                "origin": draft.invoice.number,
                "user_id": False,
                "validity_date": False,
                "order_line": [Command.create(values) for values in lines],
            }

    def _xero_line_values(self, connection, invoice, line, products, taxes):
        product = products.get(line.item_code) if line.item_code else connection.service_product_id
        if line.is_text or not product:
            note = {"xero_line_id": line.id, "display_type": "line_note", "name": line.description}
            return note if line.description else None
        values = {"xero_line_id": line.id, "product_id": product.id, "product_uom_qty": float(line.quantity)}
        values["product_uom_id"] = (products.uom(line.item_code) or product.uom_id).id
        if connection.trim_description:
            values["name"] = product.name
        elif connection.description_source == "xero" and line.description:
            # Odoo's list shows product and description; it leaves out the latter where it only repeats the former.
            values["name"] = product.display_name if line.description == product.name else line.description
        if connection.price_source == "xero":
            values |= self._xero_price_values(invoice, line, product, taxes)
        return values

    def _xero_price_values(self, invoice, line, product, taxes):
        line_taxes = taxes.matching(product, *line.amounts(invoice.tax_inclusive))
        rate = sum(formats.decimal(tax.amount) for tax in line_taxes) / 100
        included = any(line_taxes.mapped("price_include"))
        price, discount = pricing.unit_price(line, invoice.tax_inclusive, included, rate)
        return {
            "price_unit": float(price),
            # Odoo takes a price for its own, and recomputes it, where this equals it.
            "technical_price_unit": float(price) + 1,
            "discount": float(discount),
            "tax_ids": [Command.set(line_taxes.ids)],
        }

    def _xero_check_currencies(self, connection, drafts):
        """Add a problem to each draft whose currency is not active here."""
        if connection.price_source != "xero":
            return
        codes = {connection._currency_code(draft.invoice) for draft in drafts}
        currencies = self.env["res.currency"].with_context(active_test=False).search([("name", "in", list(codes))])
        by_code = {currency.name: currency for currency in currencies}
        for draft in drafts:
            code = connection._currency_code(draft.invoice)
            currency = by_code.get(code)
            if not currency or not currency.active:
                _ = connection.env._
                reason = _("The invoice is in %s, a currency that is not active in Odoo. Activate it.", code)
                draft.problems.append(Problem("currency_inactive", reason, code, currency))

    def _xero_remark(self, connection, draft):
        """Why this warehouse, and by how much the total misses the invoice's. Roundings may differ by a cent a line."""
        remark = super()._xero_remark(connection, draft)
        difference = formats.decimal(self.amount_total) - draft.invoice.total
        if connection.price_source == "xero" and abs(difference) > len(self.order_line) * _ONE_CENT:
            remark = connection.env._(
                "%(remark)s The total differs from the invoice's by %(difference)s %(currency)s: no sales tax in Odoo "
                "has the rate of Xero's.",
                remark=remark,
                difference=formats.cents(difference),
                currency=self.currency_id.name,
            )
        return remark

    # === FROM XERO: CREATE === #

    def _xero_create(self, connection, drafts):
        """Create the orders of prepared drafts, all in one go, and confirm them if the connection says so.

        :return: orders in the order of the drafts
        """
        partners = self.env["res.partner"]._xero_import(connection, drafts)
        pricelists = self.env["product.pricelist"]._xero_for_invoices(connection, drafts)
        orders = self.create(
            [
                {
                    **draft.values,
                    **pricelists.get(connection._currency_code(draft.invoice), {}),
                    "partner_id": (connection.partner_id or partners.contacts[draft.contact.id]).id,
                    "partner_shipping_id": partners.ship_to[draft.row.id].id,
                }
                for draft in drafts
            ]
        )
        orders._xero_log_origin(connection, drafts)
        if to_confirm := orders._xero_to_confirm(connection, drafts):
            to_confirm.action_confirm()
        return orders
