"""The demo's second act: people edit, void and credit invoices in Xero after their orders were made."""

from dataclasses import dataclass

from .rpc import Session
from .story import SETUPS

CONNECTION = 'Pennine Tea, everything'
DECISIONS = ('change_held', 'void_held', 'credit_held')


@dataclass
class Change:
    """One thing that happens in Xero, and what becomes of the order."""

    what: str
    number: str
    order: int
    expected: tuple  # state of the row, what was decided or what waits for a decision


def play(admin: Session, fake) -> list[Change]:
    """Change the books of one organisation whose orders are confirmed. For two of them somebody prints the picking list
    first: that is a beginning."""
    setup = next(setup for setup in SETUPS if setup.connection == CONNECTION)
    organisation = fake.organisation(setup.tenant_id)
    orders = iter(_orders(admin, organisation))
    changes = []

    def change(what, expected, act, printed=False):
        order, invoice = next(orders)
        if printed:
            pickings = admin.search_read('stock.picking', [('sale_id', '=', order)], ['id'])
            admin.call('stock.picking', 'do_print_picking', [picking['id'] for picking in pickings])
        act(invoice)
        changes.append(Change(what, invoice['InvoiceNumber'], order, expected))

    def more(invoice):
        lines = [dict(line) for line in invoice['LineItems']]
        lines[0] = {key: value for key, value in lines[0].items() if key not in ('LineAmount', 'TaxAmount')}
        lines[0]['Quantity'] += 6
        organisation.update('Invoices', invoice['InvoiceID'], LineItems=lines)

    def credit_a_part(invoice):
        note = organisation.add_credit_note(
            Contact=invoice['Contact']['ContactID'], CurrencyCode=invoice['CurrencyCode'], LineAmountTypes='NoTax',
            LineItems=[{'Description': 'One arrived broken', 'Quantity': 1, 'UnitAmount': 5.0, 'AccountCode': '200'}])
        organisation.allocate(note, invoice, 5.0)

    def void(invoice):
        organisation.void(invoice['InvoiceID'])

    change("six more of the first item", ('done', 'applied'), more)
    change("six more, after the picking list was printed", ('failed', 'change_held'), more, printed=True)
    change("voided", ('done', 'cancelled'), void)
    change("voided, after the picking list was printed", ('failed', 'void_held'), void, printed=True)
    change("credited in part", ('failed', 'credit_held'), credit_a_part)
    return changes


def _orders(admin: Session, organisation) -> list[tuple[int, dict]]:
    """Confirmed orders whose invoice is approved and unpaid: ``(order id, invoice)``."""
    connection = admin.search_read('xero.connection', [('name', '=', CONNECTION)], ['id'])[0]['id']
    orders = admin.search_read(
        'sale.order', [('xero_connection_id', '=', connection), ('state', '=', 'sale')], ['xero_invoice_id'])
    invoices = {row.data['InvoiceID']: row.data for row in organisation.tables['Invoices']}
    found = sorted(orders, key=lambda order: order['id'])
    pairs = [(order['id'], invoices[order['xero_invoice_id']]) for order in found]
    return [(order, invoice) for order, invoice in pairs if invoice['Status'] == 'AUTHORISED']


def ring(admin: Session) -> None:
    """Look at Xero now, as the button does."""
    connections = admin.search_read('xero.connection', [('name', '=', CONNECTION)], ['id'])
    admin.call('xero.connection', 'action_import_now', [found['id'] for found in connections])


def report(admin: Session, changes: list[Change]) -> list[str]:
    """Print what became of each change; returns a sentence for each that became something else."""
    print("\nAfterwards, in Xero")
    differences = []
    for change in changes:
        row = admin.search_read(
            'xero.record', [('number', '=', change.number), ('connection_id', '=', CONNECTION)],
            ['state', 'problem_code', 'change_state', 'reason', 'document_name'])[0]
        found = (row['state'], row['problem_code'] if row['state'] == 'failed' else row['change_state'])
        if row['problem_code'] in DECISIONS:
            outcome = 'waits for a decision'
        else:
            outcome = row['change_state'] or row['state']
        reason = ' '.join((row['reason'] or '').split())
        print(f"  {change.number} {change.what}: {row['document_name']} {outcome}. {reason}")
        if found != change.expected:
            differences.append(f"{change.number} ({change.what}): expected {change.expected}, found {found}")
            print(f"  ✗ {differences[-1]}")
    return differences
