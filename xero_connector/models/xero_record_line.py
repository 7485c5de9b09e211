from odoo import api, fields, models

from ..lib import outgoing
from .export_mapper import DraftLine
from .export_source import NOTHING


class XeroLineMixin(models.AbstractModel):
    """One line of a document on its way to Xero, as people see and change it."""

    _name = "xero.line.mixin"
    _description = "Line for Xero"
    _order = "sequence, id"

    sequence = fields.Integer()
    source_model = fields.Char(readonly=True)
    source_id = fields.Many2oneReference(
        string="Line in Odoo", model_field="source_model", readonly=True, index="btree_not_null"
    )
    product_id = fields.Many2one("product.product", readonly=True, index="btree_not_null", ondelete="set null")
    is_text = fields.Boolean(string="Words only", readonly=True)
    description = fields.Text(help="Empty: Xero takes its item's.")
    item_code = fields.Char(string="Item", readonly=True)
    quantity = fields.Float(digits=(16, 4))
    takes_price = fields.Boolean(string="Price of Xero's item", readonly=True)
    unit_amount = fields.Float(string="Unit price", digits=(16, 4))
    discount = fields.Float(string="Disc. %", digits=(16, 2))
    account_line_id = fields.Many2one("xero.account.mapping", string="Account", index=True, ondelete="set null")
    tax_line_id = fields.Many2one("xero.tax.mapping", string="Tax type", index=True, ondelete="set null")
    odoo_total = fields.Float(string="Total in Odoo", digits=(16, 2), readonly=True)
    source_quantity = fields.Float(
        digits=(16, 6), readonly=True, help="How much of the line in Odoo this stands for; what is taken back is less."
    )
    source_price = fields.Float(digits=(16, 6), readonly=True, help="The price less discount the line in Odoo had.")
    price_change = fields.Float(
        digits=(16, 6), readonly=True, help="What this changes of the price of the line it takes back, or adds to."
    )
    explanation = fields.Text(readonly=True)

    @api.model
    def _line_values(self, draft):
        """Values of lines for a draft's lines."""
        return [
            {
                "sequence": number,
                "source_model": each.source and each.source.record._name,
                "source_id": each.source and each.source.record.id,
                "product_id": each.source and each.source.product.id,
                "is_text": each.line.is_text,
                "description": each.line.description,
                "item_code": each.line.item_code,
                "quantity": float(each.line.quantity or 0),
                "takes_price": not each.line.is_text and each.line.unit_amount is None,
                "unit_amount": float(each.item_price if each.line.unit_amount is None else each.line.unit_amount),
                "discount": float(each.line.discount),
                "account_line_id": each.account and each.account.id,
                "tax_line_id": each.tax and each.tax.id,
                "odoo_total": float(each.odoo_total),
                "source_quantity": float(each.taken),
                "source_price": float(each.source.price) if each.source and not each.source.is_text else 0,
                "price_change": float(each.price_change),
                "explanation": "\n".join(each.why),
            }
            for number, each in enumerate(draft.lines)
        ]

    def _as_sent(self):
        """
        :rtype: outgoing.Line
        """
        self.ensure_one()
        if self.is_text:
            return outgoing.Line(self.description or "")
        return outgoing.Line(
            description=self.description or "",
            quantity=outgoing.number(self.quantity),
            unit_amount=None if self._awaits_price() else outgoing.number(self.unit_amount),
            discount=outgoing.number(self.discount),
            item_code=self.item_code or "",
            account_code=self.account_line_id.code or "",
            tax_type=self.tax_line_id.tax_type or "",
            rate=outgoing.number(self.tax_line_id.rate),
        )

    def _draft_line(self, is_changed=False):
        """
        :param bool is_changed: whether its document was changed by hand
        :rtype: DraftLine
        """
        line = self._as_sent()
        if line.is_text:
            return DraftLine(line)
        record = self.env[self.source_model].browse(self.source_id).exists() if self.source_model else None
        return DraftLine(
            line,
            self.account_line_id,
            self.tax_line_id,
            record._xero_line() if record else None,
            taken=outgoing.number(self.source_quantity),
            odoo_total=outgoing.number(self.odoo_total),
            item_price=outgoing.number(self.unit_amount),
            is_changed=is_changed,
        )

    def _awaits_price(self):
        """Whether Xero is to put its item's price in."""
        return self.takes_price


class XeroRecordLine(models.Model):
    """A line of a document as it was sent to Xero, or is about to be: what it was made of, and what Xero made of it."""

    _name = "xero.record.line"
    _inherit = "xero.line.mixin"
    _description = "Xero Sync Log Line"

    record_id = fields.Many2one("xero.record", required=True, readonly=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="record_id.company_id", store=True, index=True)
    line_id = fields.Char(string="Xero line ID", readonly=True, index="btree_not_null")
    xero_amount = fields.Float(string="Amount in Xero", digits=(16, 2), readonly=True)
    xero_tax = fields.Float(string="Tax in Xero", digits=(16, 2), readonly=True)
    sent_id = fields.Many2one(
        "xero.record.line", string="Takes back", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    taken_ids = fields.One2many("xero.record.line", "sent_id", readonly=True)

    def _awaits_price(self):
        # Once it is sent, the price is known.
        return super()._awaits_price() and not self.line_id

    def _xero_total(self, amount_types):
        """What Xero made of it, with tax."""
        amount = outgoing.number(self.xero_amount)
        return amount if amount_types == outgoing.INCLUSIVE else amount + outgoing.number(self.xero_tax)

    def _taken(self):
        """The lines that took something of this one back, or raised its price, as far as Xero has them."""
        return self.taken_ids.filtered("record_id.external_id")

    def _left(self):
        """How much of the line in Odoo this one still stands for."""
        taken = sum((outgoing.number(line.source_quantity) for line in self._taken()), NOTHING)
        return outgoing.number(self.source_quantity) + taken

    def _price_now(self):
        """The price less discount that is billed by now, in Odoo's terms."""
        changed = sum((outgoing.number(line.price_change) for line in self._taken()), NOTHING)
        return outgoing.number(self.source_price) + changed

    def _unit_at(self, price):
        """Xero's unit price, without discount, where Odoo's price less discount is this one."""
        unit = self._as_sent().net_unit()
        before = outgoing.number(self.source_price)
        return outgoing.four_places(unit * price / before) if before else unit

    def _may_be_reduced_by(self, line):
        """Whether a line of a credit note made in Odoo takes from this one, as far as can be told."""
        return (
            not self.is_text
            and self.product_id == line.product_id
            and self._as_sent().net_unit() == line._as_sent().net_unit()
            and self.tax_line_id == line.tax_line_id
            and line.quantity <= self.quantity
        )
