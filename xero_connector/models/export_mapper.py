"""From a document of Odoo to the one Xero is to have, with every reason why it cannot be."""

from dataclasses import dataclass, field, replace
from typing import Any

from odoo import fields as odoo_fields

from ..lib import formats, outgoing
from . import export_preflight
from .export_source import NOTHING, SourceLine, is_included
from .export_terms import ExportTerms

_STATUSES = {"draft": "DRAFT", "submitted": "SUBMITTED", "authorised": "AUTHORISED"}


@dataclass
class DraftLine:
    """One line on its way.

    :param line: as Xero is to have it
    :param account, tax: the lines of the connection's tables it is sent as
    :param source: the line in Odoo's terms; None where it only takes back what was sent before
    :param sent: the ``xero.record.line`` it takes back
    :param taken: how much of the source's quantity it stands for; less than nothing where it takes back
    :param price_change: what it changes of the price of the line it refers to, in Odoo's terms
    :param item_price: what its item costs in Xero, as far as we know
    :param is_changed: whether somebody changed it by hand, who knows what the tax is to be
    :param why: sentences that say where each value comes from
    """

    line: outgoing.Line
    account: Any = None
    tax: Any = None
    source: SourceLine | None = None
    sent: Any = None
    taken: Any = NOTHING
    price_change: Any = NOTHING
    odoo_total: Any = NOTHING
    item_price: Any = NOTHING
    is_changed: bool = False
    why: list = field(default_factory=list)


@dataclass
class ExportDraft:
    """A document on its way; with any problem it is not sent.

    :param source: the order, invoice or credit note
    :param warnings: sentences about what is worth a look, but forbids nothing
    """

    source: Any
    resource: str
    document: outgoing.Document
    lines: list = field(default_factory=list)
    odoo_total: Any = NOTHING
    problems: list = field(default_factory=list)
    warnings: list = field(default_factory=list)

    def expected_total(self):
        """What Xero will say it comes to, as far as we know its items' prices."""
        lines = [
            replace(each.line, unit_amount=each.item_price) if each.line.unit_amount is None else each.line
            for each in self.lines
        ]
        if self.resource == "credit_note":
            lines = [line.without_discount() for line in lines]
        return sum((line.total(self.document.amount_types) for line in lines), NOTHING)

    def check(self, connection):
        """Find everything Xero would refuse, as far as we know its books; see :mod:`export_preflight`."""
        self.document.lines = [each.line for each in self.lines]
        problems, warnings = export_preflight.check(connection, self)
        # Each cause is told once, however many lines have it.
        told = {(problem.code, problem.subject): problem for problem in self.problems + problems}
        self.problems = list(told.values())
        self.warnings = list(dict.fromkeys(self.warnings + warnings))
        return self


class ExportMapper:
    """Maps documents of one connection. Everything is looked up once for all of them; nothing is written."""

    def __init__(self, connection, documents):
        """:param connection: in its company and language
        :param documents: those that will be asked about"""
        self._connection = connection
        self._env = connection.env
        documents = documents.with_env(connection.env)
        self._terms = ExportTerms(connection)
        partners = self._env["res.partner"].union(*(document._xero_bill_to() for document in documents))
        self._contacts = partners._xero_contacts(connection, partners)
        self._items = self._item_codes(self._products(documents))

    @staticmethod
    def _products(documents):
        lines = documents.order_line if documents._name == "sale.order" else documents.invoice_line_ids
        return lines.product_id

    def _item_codes(self, products):
        """The item each product is in Xero: dict ``product -> (code, unit)``."""
        bindings = self._env["xero.binding"]._of_items(self._connection, [], products, with_shared=True)
        rows = self._env["xero.record"]._items_by_id(self._connection, bindings.mapped("external_id"))
        return {
            products.browse(binding.res_id): (rows[binding.external_id], binding.uom_id)
            for binding in bindings
            if binding.external_id in rows
        }

    # === DOCUMENT === #

    def draft(self, source, resource=None, part=0, lines=None):
        """What this document is to be in Xero.

        :param str resource: ``invoice`` or ``credit_note``, its own where none is given
        :param int part: 0 for the document itself, else the number of a later change
        :param list lines: what is sent of it (:class:`SourceLine`), all of it where none is given
        :rtype: ExportDraft
        """
        source = source.with_env(self._env)
        resource = resource or source._xero_out_resource()
        head = source._xero_head()
        whole = source._xero_bill_lines()
        wanted = whole if lines is None else lines
        draft = self._head(source, resource, part, head)
        draft.document.amount_types = self._amount_types(wanted)
        if self._connection.invoice_mode == "existing" and resource == "invoice" and wanted:
            # Of the orders that share an invoice each has its heading; by it its lines are found again.
            draft.lines.append(DraftLine(outgoing.Line(draft.document.reference)))
        for line in wanted:
            draft.lines += self._line(draft, line)
        is_whole = lines is None and all(
            line.is_text or line.quantity == outgoing.number(line.record[_QUANTITY[line.record._name]])
            for line in whole
        )
        draft.odoo_total = source._xero_total() if is_whole else sum((line.total for line in wanted), NOTHING)
        return draft

    def _head(self, source, resource, part, head):
        connection = self._connection
        contact = self._contacts.get(head.partner)
        reference = head.reference if not part else f"{head.number} ({part + 1})"
        takes_number = connection.number_source == "odoo"
        number = head.number if not part else f"{head.number}-{part + 1}"
        adds = connection.invoice_mode == "existing" and resource == "invoice"
        document = outgoing.Document(
            contact_id=(contact and contact.id) or "",
            currency=head.currency.name,
            date=self._today() if part else head.date,
            due_date=head.due_date if resource == "invoice" and not part else None,
            reference=outgoing.reference(reference),
            number=outgoing.printable(number, outgoing.LONGEST["number"]) if takes_number and not adds else "",
            status="DRAFT" if adds else _STATUSES[connection.export_status],
            url=self._url(source, part),
        )
        draft = ExportDraft(source, resource, document)
        if contact and contact.problem:
            draft.problems.append(contact.problem)
        elif contact and contact.is_new:
            draft.warnings.append(
                self._env._("%s is not in Xero yet: the contact is created first.", head.partner.display_name)
            )
        return draft

    def _today(self):
        zone = self._connection.company_id.partner_id.tz or self._env.user.tz
        return odoo_fields.Date.context_today(self._connection.with_context(tz=zone))

    def _url(self, source, part):
        """The way back to Odoo. Xero refuses addresses with its own name in them (xero-api.md, section 3.1)."""
        url = f"{source.get_base_url()}/mail/view?model={source._name}&res_id={source.id}"
        url = f"{url}&part={part + 1}" if part else url
        return "" if "xero" in url.lower() else url

    def _amount_types(self, lines):
        """With tax where the taxes of all lines are part of their prices."""
        try:
            kinds = {is_included(line.taxes) for line in lines if not line.is_text}
        except ValueError:
            return outgoing.EXCLUSIVE
        return outgoing.INCLUSIVE if True in kinds and False not in kinds else outgoing.EXCLUSIVE

    # === LINES === #

    def _line(self, draft, source):
        """The lines this one becomes; none for one that has nothing to say."""
        if source.is_text:
            return [DraftLine(outgoing.Line(source.name[: outgoing.LONGEST["description"]]))] if source.name else []
        if not source.quantity:
            return []
        connection, _ = self._connection, self._env._
        item_row, unit = self._items.get(source.product, (None, None))
        account, tax = self._terms.account(source.account), self._terms.tax(source.taxes)
        quantity, price = self._per_item_unit(source, item_row and (unit or source.product.uom_id))
        why = []
        if connection.price_source == "xero":
            price = None
            why.append(_("Price: the item's in Xero (Prices from)."))
        else:
            price = self._price(draft, source, price)
            why.append(_("Price: Odoo's (Prices from)."))
        description, said = self._description(source)
        why.append(said)
        if quantity != source.quantity:
            why.append(_("Quantity: counted in %s, as the item is.", (unit or source.product.uom_id).name))
        if item_row:
            why.append(_("Item: %s is mapped to it.", source.product.display_name))
        if account:
            ours = source.account.display_name or _("no account")
            why.append(_("Account: %(ours)s is sent as %(code)s.", ours=ours, code=account.display_name))
        if tax:
            ours = ", ".join(source.taxes.mapped("name")) or _("no tax")
            why.append(_("Tax: %(ours)s is sent as %(code)s.", ours=ours, code=tax.display_name))
        line = outgoing.Line(
            description=description,
            quantity=quantity,
            unit_amount=price,
            discount=source.discount,
            item_code=item_row.number if item_row else "",
            account_code=account.code or "",
            tax_type=tax.tax_type or "",
            rate=outgoing.number(tax.rate),
        )
        return [
            DraftLine(
                line,
                account,
                tax,
                source,
                taken=source.quantity,
                odoo_total=source.total,
                item_price=outgoing.number(item_row.unit_price) if item_row else NOTHING,
                why=why,
            )
        ]

    def _price(self, draft, source, price):
        """The price in the kind of amounts of the document."""
        if draft.document.amount_types == outgoing.INCLUSIVE or not source.taxes:
            return outgoing.four_places(price)
        taxes = source.taxes.flatten_taxes_hierarchy()
        rate = sum((outgoing.number(tax.amount) for tax in taxes if tax.price_include), NOTHING)
        return outgoing.four_places(price / (1 + rate / 100))

    def _per_item_unit(self, source, unit):
        """Quantity and price in the unit Xero counts the item in."""
        if not unit or not source.uom or unit == source.uom:
            return source.quantity, source.price_unit
        quantity = outgoing.number(source.uom._compute_quantity(float(source.quantity), unit, round=False))
        return quantity, outgoing.number(source.uom._compute_price(float(source.price_unit), unit))

    def _description(self, source):
        connection, _ = self._connection, self._env._
        if connection.description_source == "xero":
            return "", _("Description: the item's in Xero (Descriptions from).")
        if connection.trim_description and source.product:
            return source.product.name, _("Description: the product's name only.")
        longest = outgoing.LONGEST["description"]
        return formats.text(source.name)[:longest], _("Description: Odoo's (Descriptions from).")


_QUANTITY = {"sale.order.line": "product_uom_qty", "account.move.line": "quantity"}
