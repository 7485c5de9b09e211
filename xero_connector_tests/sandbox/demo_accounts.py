"""The demo's fifth act: what the warehouse itself sells reaches its books in Xero, and payments come back."""

import html
import re
import time
from datetime import timedelta

from . import utc
from .console import step
from .databases import DEMO
from .demo_act import Act, one_line, told
from .demo_journey import MAX_ROUNDS, connect, trigger
from .demo_report import row_of_cells
from .rpc import Session
from .story import SETUPS, open_fulfilment
from .story.fulfilment import BOOKS, CUSTOMERS, SALES_TAX, SERVICES, STORAGE

NORTHPOINT, CEDAR, OLD_MILL, BRIGHTWATER, HARTLEY = (customer.name for customer in CUSTOMERS)
# Whose orders are in Odoo, confirmed and in stock, because Xero has their invoices.
IMPORTING = SETUPS[3]
DRIFTS = {
    'only_here': "only in Odoo", 'only_there': "only in Xero", 'total_differs': "totals differ",
    'status_differs': "status differs",
}
ROW = [
    'number', 'part', 'resource', 'state', 'reason', 'problem_code', 'external_id', 'xero_number', 'xero_status',
    'xero_status_text', 'amount_total', 'xero_total', 'total_difference', 'intended_difference', 'currency_code',
    'amount_due', 'allocated', 'contact_name', 'res_model', 'res_id', 'is_edited',
]


def play(admin: Session, fake) -> list[str]:
    """Returns a sentence for each thing that did not go as it should."""
    print("\nThe accountant's half")
    act = Accounts(admin, fake, open_fulfilment(fake))
    with step("Services and customers in Odoo, books in Xero, an accountant who connects them"):
        act.fill_odoo()
        act.connect()
    act.map_taxes_and_accounts()
    act.send_one_by_hand()
    act.let_customers_go_by_themselves()
    act.bill_in_another_currency()
    act.add_to_an_open_draft()
    act.release_what_failed()
    act.move_out_of_a_locked_period()
    act.credit_what_became_less()
    act.invoice_in_odoo()
    act.note_a_delivery()
    act.print_documents()
    act.find_nothing_new()
    act.leave_one_to_try()
    act.compare_with_xero()
    print(f"  See for yourself: Xero → Sent to Xero, {admin.url}/odoo/xero-sent, as accountant / accountant.")
    return act.differences


class Accounts(Act):
    """What is done in it, one method each. The accountant has the rights of one, and no more."""

    def __init__(self, admin: Session, fake, organisation):
        super().__init__(admin, fake, organisation)
        self.accountant = Session(admin.url, DEMO, 'accountant', 'accountant')
        self.connection = 0
        self.products, self.customers, self.taxes, self.orders = {}, {}, {}, {}  # ids by code, name, kind, story

    # --- before --------------------------------------------------------------------------------------------------
    def fill_odoo(self) -> None:
        for kind in ('tax_excluded', 'tax_included'):
            [self.taxes[kind]] = self.admin.call('account.tax', 'create', [{
                'name': f"Sales Tax {SALES_TAX} %{' incl.' if kind == 'tax_included' else ''}", 'amount': SALES_TAX,
                'type_tax_use': 'sale', 'price_include_override': kind}])
        [storage] = self.admin.call('account.account', 'create', [{
            'name': "Storage income", 'code': '400100', 'account_type': 'income'}])
        ids = self.admin.call('product.product', 'create', [{
            'default_code': service.code, 'name': service.name, 'list_price': service.price,
            'type': 'consu' if service.is_goods else 'service', 'invoice_policy': 'order',
            'taxes_id': [(6, 0, [self.taxes['tax_excluded']])],
            'property_account_income_id': storage if service.code == STORAGE else False,
        } for service in SERVICES])
        self.products = {service.code: found for service, found in zip(SERVICES, ids, strict=True)}
        ids = self.admin.call('res.partner', 'create', [{
            'name': customer.name, 'is_company': True, 'xero_auto_export': customer.by_itself,
        } for customer in CUSTOMERS])
        self.customers = {customer.name: found for customer, found in zip(CUSTOMERS, ids, strict=True)}

    def connect(self) -> None:
        app = self.admin.search_read('xero.app', [], ['id'])[0]['id']
        [self.connection] = self.accountant.call('xero.connection', 'create', [{
            **BOOKS.settings, 'name': BOOKS.connection, 'app_id': app}])
        connect(self.accountant, self.fake, BOOKS)
        # what is older than some weeks is closed
        self.organisation.lock(period=utc.today() - timedelta(days=20))

    # --- orders --------------------------------------------------------------------------------------------------
    def map_taxes_and_accounts(self) -> None:
        answer = told(self.accountant.call('xero.connection', 'action_read_tables', [self.connection]))
        suggested = self.accountant.search_read('xero.tax.match', [
            ('connection_id', '=', self.connection), ('tax_id', 'in', list(self.taxes.values()))], ['suggestion_id'])
        self.accountant.call('xero.tax.match', 'action_accept', [match['id'] for match in suggested])
        self._send_as(self._match("Product Sales"), '200')
        lines = [*self._sent_as('xero.tax.match', 'tax_id'), *self._sent_as('xero.account.match', 'account_id')]
        self.check(
            f"{answer} Mapped: {'; '.join(f'{ours} is {theirs}' for ours, theirs in lines)}.",
            sorted(theirs.split()[0] for _ours, theirs in lines) == ['200', 'Sales', 'Sales'])

    def send_one_by_hand(self) -> None:
        """All that is wrong is told at once; what is sent can be changed first."""
        order = self._sell("sent by hand, changed", NORTHPOINT, (STORAGE, 12), ('PICK-PACK', 40), ('WRAP-500', 3))
        preview = self._preview(order)
        found = self._read_preview(preview)
        self.check(
            f"Preview of {found['document_name']}: {_words(found['problems'])}",
            found['problem_count'] == 1 and "Storage income" in found['problems'])
        storage = self._match("Storage income")
        # Thought to be other income, until somebody thinks again.
        self._send_as(storage, '260')
        preview = self.accountant.call('xero.preview', 'action_again', [preview])['res_id']
        line = self.accountant.search_read(
            'xero.preview.line', [('preview_id', '=', preview), ('product_id', '=', self.products['PICK-PACK'])],
            ['unit_amount'])[0]
        self.accountant.call('xero.preview', 'write', [preview], {'line_ids': [(1, line['id'], {
            'description': "Pick and pack, rush orders", 'unit_amount': 3.6})]})
        found = self._read_preview(preview)
        self.check(
            f"The account is mapped, a price of {line['unit_amount']:.2f} changed to 3.60: Xero would get "
            f"{found['xero_total']:.2f}, Odoo has {found['odoo_total']:.2f}.",
            not found['problem_count'] and found['is_edited'])
        answer = told(self.accountant.call('xero.preview', 'action_send', [preview]))
        self._turn()
        [row], [invoice] = self._rows(order), self._invoices()
        self.check(
            f"{answer} {row['number']} is {row['xero_number']}, {row['xero_total']:.2f}.",
            row['state'] == 'done' and row['xero_total'] == invoice['Total']
            and row['total_difference'] == row['intended_difference'] != 0
            and invoice['LineItems'][1]['Description'] == "Pick and pack, rush orders")

    def let_customers_go_by_themselves(self) -> None:
        """Of customers whose form says so, orders are sent as soon as they are confirmed."""
        plain = self._sell(
            "by itself, discounts", CEDAR, (STORAGE, 5.5), ('PICK-PACK', 137, {'discount': 12.5}),
            ('LABELLING', 3, {'discount': 5}), ('CARTON-M', 250, {'price_unit': 1.659}))
        inclusive = self._sell(
            "by itself, prices with tax", BRIGHTWATER, ('PICK-PACK', 7), ('LABELLING', 11), ('CARTON-L', 19),
            tax='tax_included')
        self._turn()
        for order in (plain, inclusive):
            [row] = self._rows(order)
            self.check(f"Nobody pressed a button: {self._sentence(row)}", self._is_proven(row))
        contact = self._contact(BRIGHTWATER)
        self.check(
            f"{BRIGHTWATER} was no contact in Xero yet, and is one now; the others were found by their names.",
            contact and len(self.organisation.tables['Contacts']) == 4)
        [row] = self._rows(inclusive)
        self.check(
            "Prices with tax stay prices with tax.",
            self._document(row)['LineAmountTypes'] == 'Inclusive')

    def bill_in_another_currency(self) -> None:
        order = self._sell("in pounds", HARTLEY, ('PICK-PACK', 60, {'price_unit': 2.65}), currency='GBP')
        self._send(order)
        [row] = self._rows(order)
        self.check(
            f"In pounds: {self._sentence(row)}",
            self._is_proven(row) and self._document(row)['CurrencyCode'] == 'GBP')

    def add_to_an_open_draft(self) -> None:
        """Somebody keeps a draft for this customer in Xero all month."""
        draft = self.organisation.add_invoice(
            Contact=self._contact(OLD_MILL)['ContactID'], Status='DRAFT', Reference="November, all in one", LineItems=[
                {'Description': "Key deposit", 'Quantity': 1, 'UnitAmount': 40.0, 'AccountCode': '260',
                 'TaxType': 'NONE'}])
        self._set(invoice_mode='existing')
        first = self._sell("added to a draft", OLD_MILL, (STORAGE, 2), ('PICK-PACK', 9))
        preview = self._preview(first)
        target = self._read_preview(preview)['target']
        self.accountant.call('xero.preview', 'action_send', [preview])
        second = self._sell("added to a draft", OLD_MILL, ('WRAP-500', 2), ('LABELLING', 1))
        self._send(second)
        self._set(invoice_mode='new')
        rows = [*self._rows(first), *self._rows(second)]
        lines = [line['Description'] for line in draft['LineItems']]
        self.check(
            f"{target}: {' and '.join(row['number'] for row in rows)} are lines of it now, {len(lines)} in all.",
            draft['InvoiceNumber'] in target and lines[0] == "Key deposit" and len(lines) == 7
            and all(self._is_proven(row) and row['external_id'] == draft['InvoiceID'] for row in rows))

    def release_what_failed(self) -> None:
        """An account nobody mapped yet; mapped once, what waited for it goes."""
        storage = self._match("Storage income")
        self._send_as(storage, None)
        order = self._sell("mapped, then released", CEDAR, (STORAGE, 4), ('CARTON-L', 60))
        self._turn()
        [row] = self._rows(order)
        self.check(f"{row['number']} is not sent: {one_line(row['reason'])}", row['problem_code'] == 'account_unmapped')
        self._send_as(storage, '260')
        self._retry(row)
        [row] = self._rows(order)
        self.check(f"Mapped and released: {self._sentence(row)}", self._is_proven(row))

    def move_out_of_a_locked_period(self) -> None:
        order = self._sell(
            "out of a locked period", NORTHPOINT, ('CARTON-M', 80), day=utc.today() - timedelta(days=30))
        preview = self._preview(order)
        found = self._read_preview(preview)
        self.check(
            f"Preview of {found['document_name']}: {_words(found['problems'])}",
            found['problem_count'] == 1 and "locked" in found['problems'])
        self.accountant.call('xero.preview', 'write', [preview], {'date': str(utc.today())})
        self.accountant.call('xero.preview', 'action_send', [preview])
        self._turn()
        [row] = self._rows(order)
        self.check(f"With another date it goes: {self._sentence(row)}", self._is_proven(row))

    def credit_what_became_less(self) -> None:
        """A downgrade, a return, a cancelled order: credit notes, each allocated to its invoice."""
        reduced = self._sell("made smaller", CEDAR, ('PICK-PACK', 90, {'discount': 10}), ('WRAP-500', 4))
        returned = self._sell("partly returned", BRIGHTWATER, ('CARTON-M', 120), ('CARTON-L', 45))
        cancelled = self._sell("cancelled", CEDAR, ('LABELLING', 13))
        self._turn()
        line = self.admin.search_read('sale.order.line', [('order_id', '=', reduced)], ['id'])[0]['id']
        self.admin.call('sale.order.line', 'write', [line], {'product_uom_qty': 55})
        self._return(self._deliver(returned), 'CARTON-M', 20)
        self.admin.call('sale.order', 'action_cancel', [cancelled])
        self._turn()
        for order, what in ((reduced, "35 fewer"), (returned, "20 came back"), (cancelled, "Cancelled")):
            invoice, *notes = self._rows(order)
            note = notes[0] if notes else invoice
            there = self._document(note)
            self.check(
                f"{what}: credit note {note['xero_number']} of {note['xero_total']:.2f}. {one_line(note['reason'])}",
                len(notes) == 1 and note['resource'] == 'credit_note' and self._is_proven(note)
                and note['allocated'] == there['Total'] and there['RemainingCredit'] == 0)
        [invoice, _note] = self._rows(cancelled)
        self.check(
            "Nothing is due of the cancelled one any more.",
            self._document(invoice)['Status'] == 'PAID' and self._document(invoice)['AmountDue'] == 0)

    # --- invoices ------------------------------------------------------------------------------------------------
    def invoice_in_odoo(self) -> None:
        """For companies that invoice in Odoo: posted invoices and credit notes go, payments come back."""
        journal = self.admin.search_read('account.journal', [('type', '=', 'bank')], ['id', 'name'])[0]
        self._set(export_source='invoice', number_source='odoo', payment_journal_id=journal['id'])
        paid = self._bill("paid in Xero", CEDAR, ('PICK-PACK', 210), ('LABELLING', 6))
        credited = self._bill("credited in Odoo", CEDAR, ('WRAP-500', 10))
        self._turn()
        rows = [*self._rows(paid, 'account.move'), *self._rows(credited, 'account.move')]
        self.check(
            f"Invoices of Odoo, under Odoo's numbers: {', '.join(row['xero_number'] for row in rows)}.",
            all(self._is_proven(row) and row['number'] == row['xero_number'] for row in rows))
        note = self._reverse(credited, quantity=4)
        self.organisation.add_payment(rows[0]['external_id'], 500.0)
        self.organisation.add_payment(rows[0]['external_id'])
        self._send_now()
        [row] = self._rows(note, 'account.move')
        self.check(
            f"Odoo's credit note: {self._sentence(row)} {one_line(row['reason'])}",
            self._is_proven(row) and row['allocated'] == row['xero_total'] > 0)
        [invoice] = self.accountant.call('account.move', 'read', [paid], [
            'name', 'payment_state', 'xero_export_status', 'xero_export_due', 'xero_export_paid_on'])
        payments = self.admin.search_read('account.payment', [('journal_id', '=', journal['id'])], ['amount'])
        self.check(
            f"{invoice['name']} was paid in Xero ({', '.join(f'''{one['amount']:.2f}''' for one in payments)}): "
            f"{invoice['xero_export_status']} on {invoice['xero_export_paid_on']}, registered in {journal['name']}.",
            invoice['payment_state'] in ('paid', 'in_payment') and len(payments) == 2
            and not invoice['xero_export_due'])
        self._set(export_source='sale_order', number_source='xero')

    # --- back ----------------------------------------------------------------------------------------------------
    def note_a_delivery(self) -> None:
        """Of an order that came from Xero: its invoice there tells what left, and when."""
        [importing] = self.admin.search_read('xero.connection', [('name', '=', IMPORTING.connection)], ['id'])
        self.admin.call('xero.connection', 'write', [importing['id']], {'export_deliveries': True})
        connect(self.admin, self.fake, IMPORTING)
        order = self.admin.search_read(
            'sale.order', [('xero_connection_id', '=', importing['id']), ('state', '=', 'sale'),
                           ('picking_ids.state', '=', 'assigned')],
            ['name', 'xero_invoice_id', 'xero_invoice_number'], order='id desc', limit=1)[0]
        picking = self._deliver(order['id'])
        self._turn(importing['id'])
        history = self.fake.organisation(IMPORTING.tenant_id).record('Invoices', order['xero_invoice_id']).history
        notes = [entry['Details'] for entry in history if "Delivered" in (entry.get('Details') or '')]
        self.check(
            f"{order['name']} was shipped; the history of its invoice {order['xero_invoice_number']} in Xero says: "
            f"{one_line(notes[0] if notes else '')}",
            picking and len(notes) == 1)

    def print_documents(self) -> None:
        """Everything that was sent: here, there, and what became of it."""
        columns = [
            ('Document', 22, lambda row: f"{row['number']}{' (%s)' % (row['part'] + 1) if row['part'] else ''}"),
            ('What', 26, lambda row: self._story(row)),
            ('Here', 11, lambda row: f"{row['amount_total']:11.2f}"),
            ('There', 11, lambda row: f"{row['xero_total']:11.2f}"),
            ('Apart', 6, lambda row: f"{row['total_difference']:6.2f}"),
            ('', 3, lambda row: row['currency_code']),
            ('In Xero', 22, lambda row: row['xero_number'] or ''),
            ('Status', 16, lambda row: row['xero_status_text'] or row['state']),
            ('Due', 9, lambda row: f"{row['amount_due']:9.2f}"),
        ]
        print(f"\n{row_of_cells((title, width) for title, width, _read in columns)}")
        print('─' * (sum(width + 2 for _title, width, _read in columns) - 2))
        rows = self.accountant.search_read('xero.record', self._outgoing(), ROW, order='id')
        for row in rows:
            print(row_of_cells((read(row), width) for _title, width, read in columns))
        print()
        self.check(
            f"{len(rows)} documents, all in Xero; totals differ where somebody changed a price, and nowhere else.",
            len(rows) == len(self.orders) + 3  # the credit notes of orders
            and all(row['state'] == 'done' for row in rows)
            and [row['total_difference'] for row in rows if row['total_difference']]
            == [row['total_difference'] for row in rows if row['is_edited'] and row['intended_difference']])
        self.check(
            "Xero has each of them once.",
            len(self._invoices()) + len(self.organisation.tables['CreditNotes'])
            == len({row['external_id'] for row in rows}))

    def find_nothing_new(self) -> None:
        written = len(self._written())
        self._send_now()
        self.check("Sent again, nothing is sent twice.", len(self._written()) == written)

    def leave_one_to_try(self) -> None:
        order = self._sell("to try", NORTHPOINT, (STORAGE, 3), ('PICK-PACK', 25))
        [name] = self.admin.call('sale.order', 'read', [order], ['name'])
        print(f"  {name['name']} is confirmed and not sent: Send to Xero on it shows what Xero would get.")

    def compare_with_xero(self) -> None:
        """Somebody in Xero changes one, voids another and writes a third: a comparison tells."""
        rows = {self._story(row): row for row in self.accountant.search_read('xero.record', self._outgoing(), ROW)}
        changed, voided = self._document(rows["in pounds"]), rows["out of a locked period"]['external_id']
        lines = [{key: line[key] for key in ('Description', 'Quantity', 'AccountCode', 'TaxType')} | {'UnitAmount': 2.5}
                 for line in changed['LineItems']]
        self.organisation.update('Invoices', changed['InvoiceID'], LineItems=lines)
        self.organisation.void(voided)
        self.organisation.add_invoice(Contact=self._contact(NORTHPOINT)['ContactID'], Reference="By hand", LineItems=[
            {'Description': "Insurance", 'Quantity': 1, 'UnitAmount': 75.0, 'AccountCode': '260', 'TaxType': 'NONE'}])
        wizard = self.accountant.call('xero.drift.compare', 'create', [{'connection_id': self.connection}])[0]
        self.accountant.call('xero.drift.compare', 'action_compare', [wizard])
        found = self.accountant.search_read('xero.drift.line', [('connection_id', '=', self.connection)], [
            'kind', 'document_name', 'number', 'odoo_total', 'xero_total', 'reason'], order='kind, id')
        by_kind = {kind: [line for line in found if line['kind'] == kind] for kind in DRIFTS}
        print("  Compared with Xero, where somebody changed one, voided another and wrote a third:")
        for kind, title in DRIFTS.items():
            names = ", ".join(line['document_name'] or line['number'] for line in by_kind[kind][:3])
            more = len(by_kind[kind]) - 3
            print(f"    {title}: {names}{f' and {more} more' if more > 0 else ''}")
        [total] = by_kind['total_differs'] or [{'odoo_total': 0, 'xero_total': 0}]
        self.check(
            f"The changed one is {total['odoo_total']:.2f} here and {total['xero_total']:.2f} there.",
            [len(by_kind[kind]) for kind in ('only_there', 'total_differs', 'status_differs')] == [1, 1, 1]
            and total['xero_total'] == changed['Total'] and by_kind['only_here'])

    # --- in Odoo -------------------------------------------------------------------------------------------------
    def _set(self, **settings) -> None:
        self.accountant.call('xero.connection', 'write', [self.connection], settings)

    def _sell(self, story: str, customer: str, *lines, day=None, currency=None, tax=None) -> int:
        """A confirmed order; lines are ``(code, quantity)``, or with values of the line behind."""
        values = {'partner_id': self.customers[customer], 'order_line': [(0, 0, {
            'product_id': self.products[code], 'product_uom_qty': quantity,
            **({'tax_ids': [(6, 0, [self.taxes[tax]])]} if tax else {}), **(more[0] if more else {}),
        }) for code, quantity, *more in lines]}
        if currency:
            [money] = self.admin.search_read('res.currency', [('name', '=', currency)], ['id'])
            [values['pricelist_id']] = self.admin.call('product.pricelist', 'create', [{
                'name': f"Prices in {currency}", 'currency_id': money['id']}])
        [order] = self.admin.call('sale.order', 'create', [values])
        self.admin.call('sale.order', 'action_confirm', [order])
        if day:
            self.admin.call('sale.order', 'write', [order], {'date_order': f'{day} 12:00:00'})
        self.orders['sale.order', order] = story
        return order

    def _bill(self, story: str, customer: str, *lines) -> int:
        """A posted invoice."""
        [invoice] = self.admin.call('account.move', 'create', [{
            'move_type': 'out_invoice', 'partner_id': self.customers[customer], 'invoice_date': str(utc.today()),
            'invoice_line_ids': [(0, 0, {'product_id': self.products[code], 'quantity': quantity})
                                 for code, quantity in lines]}])
        self.admin.call('account.move', 'action_post', [invoice])
        self.orders['account.move', invoice] = story
        return invoice

    def _reverse(self, invoice: int, quantity: float) -> int:
        """A posted credit note for so many of the first line of an invoice."""
        wizard = self.admin.call(
            'account.move.reversal', 'create', [{'reason': "Damaged", 'journal_id': self._journal_of(invoice)}],
            context={'active_model': 'account.move', 'active_ids': [invoice]})[0]
        note = self.admin.call('account.move.reversal', 'refund_moves', [wizard])['res_id']
        [line] = self.admin.search_read(
            'account.move.line', [('move_id', '=', note), ('display_type', '=', 'product')], ['id'])
        self.admin.call('account.move', 'write', [note], {
            'invoice_line_ids': [(1, line['id'], {'quantity': quantity})]})
        self.admin.call('account.move', 'action_post', [note])
        self.orders['account.move', note] = "Odoo's credit note"
        return note

    def _journal_of(self, invoice: int) -> int:
        return self.admin.call('account.move', 'read', [invoice], ['journal_id'])[0]['journal_id'][0]

    def _deliver(self, order: int) -> int:
        """Ship everything of an order; returns the transfer."""
        [picking] = self.admin.search_read(
            'stock.picking', [('sale_id', '=', order), ('state', '=', 'assigned')], ['move_ids'])
        self.admin.call('stock.move', 'write', picking['move_ids'], {'picked': True})
        self.admin.call('stock.picking', 'button_validate', [picking['id']], context={'skip_sms': True})
        return picking['id']

    def _return(self, picking: int, code: str, quantity: float) -> None:
        """So much of a transfer comes back."""
        wizard = self.admin.call('stock.return.picking', 'create', [{'picking_id': picking}])[0]
        for line in self.admin.search_read('stock.return.picking.line', [('wizard_id', '=', wizard)], ['product_id']):
            wanted = quantity if line['product_id'][0] == self.products[code] else 0
            self.admin.call('stock.return.picking.line', 'write', [line['id']], {'quantity': wanted})
        back = self.admin.call('stock.return.picking', 'action_create_returns', [wizard])['res_id']
        moves = self.admin.search_read('stock.move', [('picking_id', '=', back)], ['product_uom_qty'])
        for move in moves:
            self.admin.call('stock.move', 'write', [move['id']], {'quantity': move['product_uom_qty'], 'picked': True})
        self.admin.call('stock.picking', 'button_validate', [back], context={'skip_sms': True})

    # --- the connector -------------------------------------------------------------------------------------------
    def _preview(self, order: int) -> int:
        return self.accountant.call('sale.order', 'action_xero_preview', [order])['res_id']

    def _read_preview(self, preview: int) -> dict:
        return self.accountant.call('xero.preview', 'read', [preview], [
            'document_name', 'target', 'problems', 'problem_count', 'xero_total', 'odoo_total', 'is_edited'])[0]

    def _send(self, order: int) -> None:
        """As it is, by the button."""
        self.accountant.call('xero.preview', 'action_send', [self._preview(order)])
        self._turn()

    def _retry(self, row: dict) -> None:
        self.accountant.call('xero.record', 'action_retry', [row['id']])
        self._turn()

    def _send_now(self) -> None:
        """The button: what waits is sent, and Xero is asked what became of the rest."""
        self.accountant.call('xero.connection', 'action_push_now', [self.connection])
        self._turn()

    def _turn(self, connection: int = 0) -> None:
        """Let the scheduled action send until nothing is due any more."""
        for _round in range(MAX_ROUNDS):
            trigger(self.admin, 'ir_cron_push')
            now = f'{utc.now():%Y-%m-%d %H:%M:%S}'
            due = ['|', ('next_attempt', '=', False), ('next_attempt', '<=', now)]
            waiting = [('connection_id', '=', connection or self.connection), ('direction', '=', 'out')]
            if not self.admin.call('xero.record', 'search_count', [*waiting, ('state', '=', 'pending'), *due]) and not (
                self.admin.call('xero.connection', 'search_count', [
                    ('id', '=', self.connection), ('next_back', '<=', now)])
            ):
                return
            time.sleep(0.3)  # Odoo's scheduler may be sending them now: asking again at once only uses up the rounds

    def _sent_as(self, model: str, field: str) -> list[tuple[str, str]]:
        """What is mapped: ``(Odoo's, Xero's)``."""
        found = self.accountant.search_read(
            model, [('connection_id', '=', self.connection), ('line_id', '!=', False)], [field, 'line_id'])
        return [(match[field][1], match['line_id'][1]) for match in found]

    def _match(self, account: str) -> int:
        [match] = self.accountant.search_read(
            'xero.account.match', [('connection_id', '=', self.connection), ('account_id.name', '=', account)], ['id'])
        return match['id']

    def _send_as(self, match: int, code: str | None) -> None:
        """Say which account of Xero's an account of Odoo is sent as; None: none."""
        line = code and self.accountant.search_read(
            'xero.account.mapping', [('connection_id', '=', self.connection), ('code', '=', code)], ['id'])[0]['id']
        self.accountant.call('xero.account.match', 'write', [match], {'line_id': line or False})

    def _outgoing(self) -> list:
        return [('connection_id', '=', self.connection), ('direction', '=', 'out'),
                ('res_model', 'in', ('sale.order', 'account.move'))]

    def _rows(self, document: int, model: str = 'sale.order') -> list[dict]:
        domain = [*self._outgoing(), ('res_model', '=', model), ('res_id', '=', document)]
        return self.accountant.search_read('xero.record', domain, ROW, order='part')

    def _story(self, row: dict) -> str:
        story = self.orders.get((row['res_model'], row['res_id']), '')
        return f"{story}: credit note" if row['part'] and row['resource'] == 'credit_note' else story

    @staticmethod
    def _sentence(row: dict) -> str:
        if row['state'] != 'done':
            return f"{row['number']} is {row['state']}: {one_line(row['reason'])}"
        return (f"{row['number']} is {row['xero_number']}, {row['amount_total']:.2f} {row['currency_code']} here and "
                f"{row['xero_total']:.2f} there.")

    @staticmethod
    def _is_proven(row: dict) -> bool:
        return row['state'] == 'done' and not row['total_difference']

    # --- in Xero -------------------------------------------------------------------------------------------------
    def _document(self, row: dict) -> dict:
        table = 'CreditNotes' if row['resource'] == 'credit_note' else 'Invoices'
        return self.organisation.record(table, row['external_id']).data

    def _contact(self, name: str) -> dict:
        record = self.organisation.tables['Contacts'].by_number(name, 'Name')
        return record.data if record else {}

    def _invoices(self) -> list[dict]:
        return [record.data for record in self.organisation.tables['Invoices']]

    def _written(self) -> list:
        """What was written into this organisation."""
        calls = self.fake.calls(path='/(Invoices|CreditNotes|Contacts)')
        return [call for call in calls if call.tenant_id == BOOKS.tenant_id and call.method != 'GET']


def _words(markup: str) -> str:
    """The text of a field that is shown as a list."""
    return one_line(html.unescape(re.sub('<[^>]+>', ' ', markup)))
