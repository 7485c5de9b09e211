"""What came of the demo's import: read from Odoo, printed as a table, compared with what the story says."""

from dataclasses import dataclass

from .rpc import Session
from .story import SETUPS, WAREHOUSES

# A cent or two may lie between the roundings of two programs, no more.
CENTS = 0.025
DOCUMENTS = {
    'sale.order': ['name', 'warehouse_id', 'xero_mapping_id', 'amount_total'],
    'stock.picking': ['name', 'picking_type_id', 'xero_mapping_id'],
}


@dataclass
class Outcome:
    """One invoice as Odoo's sync log tells it."""

    connection: str
    number: str
    reference: str
    state: str
    problem_code: str
    reason: str
    order: str = ''
    warehouse: str = ''
    rule: str = ''
    pdf_size: int = 0
    difference: float = 0  # of the order's total from the invoice's


def read_outcomes(admin: Session) -> list[Outcome]:
    rows = admin.search_read('xero.record', [('direction', '=', 'in'), ('resource', '=', 'invoice')], [
        'connection_id', 'number', 'reference', 'state', 'problem_code', 'reason', 'res_model', 'res_id',
        'amount_total',
    ])
    order = [setup.connection for setup in SETUPS]
    rows.sort(key=lambda row: (order.index(row['connection_id'][1]), row['number']))
    documents = {model: _documents(admin, rows, model) for model in DOCUMENTS}
    outcomes = []
    for row in rows:
        outcome = Outcome(
            connection=row['connection_id'][1], number=row['number'] or '', reference=row['reference'] or '',
            state=row['state'], problem_code=row['problem_code'] or '', reason=row['reason'] or '')
        document = documents.get(row['res_model'], {}).get(row['res_id'])
        if document:
            outcome.order, outcome.warehouse = document['name'], document['warehouse']
            outcome.rule = document['xero_mapping_id'][1] if document['xero_mapping_id'] else ''
            outcome.pdf_size = document['pdf_size']
            outcome.difference = document.get('amount_total', row['amount_total']) - row['amount_total']
        outcomes.append(outcome)
    return outcomes


def _documents(admin: Session, rows: list[dict], model: str) -> dict[int, dict]:
    """The documents of these rows by id, each with its warehouse's name and the size of its PDF."""
    ids = [row['res_id'] for row in rows if row['res_model'] == model]
    documents = {found['id']: found for found in admin.call(model, 'read', ids, DOCUMENTS[model])}
    sizes = {}
    for pdf in admin.search_read('ir.attachment', [
        ('res_model', '=', model), ('res_id', 'in', ids), ('mimetype', '=', 'application/pdf'),
    ], ['res_id', 'file_size']):
        sizes[pdf['res_id']] = max(pdf['file_size'], sizes.get(pdf['res_id'], 0))
    warehouses = _warehouses_of_types(admin) if model == 'stock.picking' else {}
    for key, document in documents.items():
        document['pdf_size'] = sizes.get(key, 0)
        if model == 'stock.picking':
            document['warehouse'] = warehouses.get(document['picking_type_id'][0], '')
        else:
            document['warehouse'] = document['warehouse_id'][1] if document['warehouse_id'] else ''
    return documents


def _warehouses_of_types(admin: Session) -> dict[int, str]:
    types = admin.search_read('stock.picking.type', [('warehouse_id', '!=', False)], ['warehouse_id'])
    return {kind['id']: kind['warehouse_id'][1] for kind in types}


def print_table(outcomes: list[Outcome]) -> None:
    columns = [
        ('Invoice', 10, lambda o: o.number),
        ('Reference', 38, lambda o: o.reference),
        ('Rule', 32, lambda o: o.rule or ('(default)' if o.order else '')),
        ('Warehouse', 20, lambda o: o.warehouse),
        ('Order or reason', 46, lambda o: o.order or f"{o.state}: {o.reason or o.problem_code}"),
        ('PDF', 9, lambda o: f"{o.pdf_size / 1000:.1f} kB" if o.pdf_size else ''),
    ]
    connection = None
    for outcome in outcomes:
        if outcome.connection != connection:
            connection = outcome.connection
            print(f"\n{connection}\n{row_of_cells((title, width) for title, width, _read in columns)}")
            print('─' * (sum(width + 2 for _title, width, _read in columns) - 2))
        print(row_of_cells((read(outcome), width) for _title, width, read in columns))


def row_of_cells(cells) -> str:
    return '  '.join(_fit(text, width) for text, width in cells).rstrip()


def _fit(text: str, width: int) -> str:
    """`text` in one line of this width; whatever a terminal would obey is left out."""
    line = ' '.join(''.join(char if char.isprintable() else ' ' for char in text).split())
    return (line if len(line) <= width else line[:width - 1] + '…').ljust(width)


def compare(outcomes: list[Outcome], expected: list) -> list[str]:
    """Each difference between what came in and what the story says, in a sentence."""
    organisations = {setup.connection: setup for setup in SETUPS}
    found = {(organisations[outcome.connection].organisation, outcome.number): outcome for outcome in outcomes}
    differences = []
    for wish in expected:
        outcome = found.pop((wish.organisation, wish.number), None)
        should, is_ = _wish(wish), _fact(outcome)
        if should != is_:
            differences.append(f"{wish.organisation} {wish.number}: expected {should}, found {is_}")
        elif outcome.order and bool(outcome.pdf_size) != organisations[outcome.connection].settings['attach_pdf']:
            differences.append(f"{wish.organisation} {wish.number}: {'a' if outcome.pdf_size else 'no'} PDF")
        elif abs(outcome.difference) > CENTS:
            differences.append(f"{wish.organisation} {wish.number}: the total differs by {outcome.difference:.2f}")
    differences += [
        f"{organisation} {number}: nothing was expected, found {_fact(outcome)}"
        for (organisation, number), outcome in found.items() if outcome.order
    ]
    return differences


def _wish(wish) -> str:
    if wish.outcome != 'order':
        return f"{wish.outcome}: {wish.code}"
    names = {place.code: place.name for place in WAREHOUSES}
    return _order(names[wish.warehouse], wish.rule)


def _fact(outcome: Outcome | None) -> str:
    if not outcome:
        return "nothing"
    if outcome.order:
        return _order(outcome.warehouse, outcome.rule)
    return f"{outcome.state}: {outcome.problem_code}"


def _order(warehouse: str, rule: str | None) -> str:
    return f"an order in {warehouse} by {f'rule “{rule}”' if rule else 'default'}"
