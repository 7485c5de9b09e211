"""The demo's fourth act: a shop's catalogues in Xero and in Odoo become one, as an administrator would go about it."""

from collections import Counter

from .console import step
from .demo_act import Act, one_line, told
from .demo_journey import connect, work_off
from .demo_report import row_of_cells
from .rpc import Session
from .story import open_tableware
from .story.tableware import IN_ODOO, IN_XERO, INVOICED_CODE, TABLEWARE

STATUS = {'mapped': 'mapped', 'item_only': 'only in Xero', 'product_only': 'only in Odoo'}
LINE = [
    'status', 'item_code', 'item_name', 'item_price', 'product_code', 'product_price', 'product_id', 'suggestion_id',
    'suggestion_score', 'reason', 'item_state', 'push_state', 'push_reason', 'is_shared', 'waiting_count', 'record_id',
]


def play(admin: Session, fake) -> list[str]:
    """Returns a sentence for each thing that did not go as it should."""
    print("\nThe catalogues become one")
    act = Catalogues(admin, fake, open_tableware(fake))
    with step("Two catalogues kept by hand, an organisation connected, its invoices looked for"):
        act.fill_odoo()
        act.connect()
        act.import_invoices()
    act.fail_for_an_unknown_code()
    act.exchange_both_ways()
    act.accept_suggestions()
    act.release_what_waited()
    act.create_on_either_side()
    act.change_prices()
    act.share_an_item()
    act.archive_and_delete()
    act.find_nothing_new()
    act.print_catalogues()
    print(f"  See for yourself: Xero → Products, {admin.url}/odoo/xero-products, as admin / admin.")
    return act.differences


class Catalogues(Act):
    """What is done in it, one method each."""

    def __init__(self, admin: Session, fake, organisation):
        super().__init__(admin, fake, organisation)
        self.connection = self.category = 0
        self.products = {}  # id by internal reference

    # --- before --------------------------------------------------------------------------------------------------
    def fill_odoo(self) -> None:
        self.category = self.admin.call('product.category', 'create', [{'name': "Tableware"}])[0]
        ids = self.admin.call('product.product', 'create', [{
            'default_code': article.code, 'name': article.name, 'list_price': article.price,
            'standard_price': article.cost, 'categ_id': self.category, 'type': 'consu', 'is_storable': True,
        } for article in IN_ODOO])
        self.products = {article.code: found for article, found in zip(IN_ODOO, ids, strict=True)}

    def connect(self) -> None:
        app = self.admin.search_read('xero.app', [], ['id'])[0]['id']
        [warehouse] = self.admin.search_read('stock.warehouse', [('code', '=', TABLEWARE.warehouse)], ['id'])
        self.connection = self.admin.call('xero.connection', 'create', [{
            **TABLEWARE.settings, 'name': TABLEWARE.connection, 'app_id': app, 'warehouse_id': warehouse['id'],
            # this shop's products only: the others in this Odoo are other customers'
            'item_product_domain': "[('sale_ok', '=', True), ('categ_id.name', '=', 'Tableware')]",
        }])[0]
        connect(self.admin, self.fake, TABLEWARE)

    def import_invoices(self) -> None:
        self.admin.call('xero.connection', 'action_import_now', [self.connection])
        work_off(self.admin)

    # --- the act -------------------------------------------------------------------------------------------------
    def fail_for_an_unknown_code(self) -> None:
        rows = self._invoices()
        self.check(
            f"{len(rows)} invoices name “{INVOICED_CODE}”, which no product is called: {one_line(rows[0]['reason'])}"
            if rows else "no invoice came",
            [row['problem_code'] for row in rows] == ['unknown_code'] * 2)

    def exchange_both_ways(self) -> None:
        """Switch it on, by hand at first; the consent was given for reading items only."""
        self._set(item_sync='both', item_interval='manual')
        missing = self._read('missing_scopes')
        connect(self.admin, self.fake, TABLEWARE)
        self.check(
            f"Set to exchange both ways, which the consent does not cover yet: {one_line(missing)}. Reconnected.",
            missing and not self._read('missing_scopes'))
        self._exchange()
        lines = self._lines()
        mapped = [line for line in lines if line['status'] == 'mapped']
        alone = [line for line in lines if line['status'] == 'item_only']
        self.check(
            f"{len(mapped)} items found their product by its code, {len(alone)} have none.",
            (len(mapped), len(alone)) == (8, len(IN_XERO) - 8))
        differing = {line['item_code']: one_line(line['reason']) for line in mapped if line['reason']}
        for code, said in differing.items():
            print(f"    {code}: {said}")
        self.check("The log says who won where both differed.", set(differing) == {'BWL-16', 'JUG-1L'})
        self._check_prices("The price source is Xero", 'JUG-1L', 34.0)
        names = self._item('BWL-16')['Name'], self._product('BWL-16')['name']
        self.check(f"Descriptions are Odoo's: “{names[0]}” in Xero, too.", names == ("Soup bowl 16 cm",) * 2)

    def accept_suggestions(self) -> None:
        """Items under another code: the likeliest product of each, as the screen shows it."""
        found = self._lines(('status', '=', 'item_only'))
        found.sort(key=lambda line: (-line['suggestion_score'], line['item_code']))
        print("  Suggestions")
        for line in found:
            product = line['suggestion_id'][1] if line['suggestion_id'] else "nothing is like it"
            score = f"{line['suggestion_score']:3.0f}" if line['suggestion_id'] else "  –"
            print(f"    {score}  {line['item_code']} {line['item_name']} → {product}")
        best = {line['item_code']: self._code(line['suggestion_id']) for line in found}
        wanted = {
            INVOICED_CODE: 'MUG-01', 'MUG/02': 'MUG-02', 'SPOONS': 'SRV-SPN-2', 'VASE-T': 'VSE-30', 'NAPK6': 'LINEN-6',
            'SPRING-26': None, 'DEPOSIT': None,
        }
        scores = {line['suggestion_score'] for line in found if line['suggestion_id']}
        self.check("Each item's likeliest product is the one a person would choose.",
                    best == wanted and len(scores) > 2)
        accepted = [line['id'] for line in found if line['item_code'] in (INVOICED_CODE, 'SPOONS')]
        answer = self._press('action_accept', accepted)
        self.check(f"Two accepted: {answer}", len(self._lines(('status', '=', 'mapped'))) == 10)

    def release_what_waited(self) -> None:
        [line] = self._lines(('item_code', '=', INVOICED_CODE))
        self._press('action_release', [line['id']])
        work_off(self.admin)
        rows = self._invoices()
        orders = ", ".join(row['document_name'] or row['reason'] for row in rows)
        self.check(f"Released: {orders}.", [row['state'] for row in rows] == ['done'] * 2)

    def create_on_either_side(self) -> None:
        [item] = self._lines(('item_code', '=', 'SPRING-26'))
        answer = self._press('action_create_here', [item['id']])
        [made] = self.admin.search_read('product.product', [('default_code', '=', 'SPRING-26')], ['id'])
        self.products['SPRING-26'] = made['id']
        self.check(f"Created in Odoo from an item: {answer}", "keeps 1 of them out" in answer)
        # it is new in Odoo's first category, and this connection exchanges another one
        self.admin.call('product.product', 'write', [made['id']], {'categ_id': self.category})
        wanted = self._lines(
            ('status', '=', 'product_only'), ('product_code', 'in', ('TRV-OAK', IN_ODOO[-1].code)))
        self._press('action_create_there', [line['id'] for line in wanted])
        self._turn()
        made = self._product('SPRING-26')
        self.check(
            f"Put into the category that is exchanged: {made['name']}, {made['lst_price']:.2f}.",
            (made['name'], made['lst_price'], made['standard_price']) == ("Spring table set", 89.0, 40.0))
        item = self._item('TRV-OAK')
        self.check(
            f"Created in Xero from a product: {item.get('Name')}, {_price(item):.2f}.",
            (item.get('Name'), _price(item)) == ("Oak trivet", 19.0))
        [failed] = self._lines(('product_code', '=', IN_ODOO[-1].code))
        self.check(
            f"Refused before it was sent: {one_line(failed['push_reason'])}",
            failed['push_state'] == 'failed' and failed['status'] == 'product_only')

    def change_prices(self) -> None:
        """One in Xero, one in Odoo, one in both."""
        self._change_in_xero('PLT-27', 23.5)
        self._change_in_odoo('PLT-21', 15.0)
        self._change_in_xero('TPT-CI', 61.0)
        self._change_in_odoo('TPT-CI', 59.0)
        self._turn()
        self._check_prices("Changed in Xero, it arrived here", 'PLT-27', 23.5)
        self._check_prices("Changed here, it arrived in Xero", 'PLT-21', 15.0)
        self._check_prices("Changed on both sides, the price source won", 'TPT-CI', 61.0)
        [line] = self._lines(('product_code', '=', 'TPT-CI'))
        self.check(f"The log says: {one_line(line['reason'])}", "both sides differ" in (line['reason'] or ''))

    def share_an_item(self) -> None:
        """A second product is sold as the same item."""
        self._set(allow_shared_item=True)
        [line] = self._lines(('item_code', '=', 'GIFTBOX'))
        wizard = self.admin.call('xero.map.product', 'create', [{
            'connection_id': self.connection, 'product_id': self.products['GIFTBOX-XMAS'],
            'record_id': line['record_id'][0]}])[0]
        self.admin.call('xero.map.product', 'action_confirm', [wizard])
        lines = self._lines(('item_code', '=', 'GIFTBOX'))
        self.check(
            f"Several products on one item: {', '.join(line['product_id'][1] for line in lines)}.",
            sorted(line['is_shared'] for line in lines) == [False, True])

    def archive_and_delete(self) -> None:
        """A product that is sold no more here, an item that somebody deleted in Xero."""
        self.admin.call('product.product', 'action_archive', [self.products['CRF-75']])
        item = self._item('CUP-ESP')
        self.organisation.delete_item(item['ItemID'])
        self._exchange()
        for what, code, cause in (
            ("Archived in Odoo", 'CRF-75', 'archived_here'), ("Deleted in Xero", 'CUP-ESP', 'deleted'),
        ):
            [row] = self.admin.search_read(
                'xero.record', [*self._items_domain(), ('number', '=', code)], ['problem_code', 'reason'])
            self.check(f"{what}: {one_line(row['reason'])}", row['problem_code'] == cause)
        self.check("The archived product's item is in Xero as it was.", self._item('CRF-75').get('Code') == 'CRF-75')

    def find_nothing_new(self) -> None:
        before, made = self._stamps(), len(self._calls())
        self._turn()
        calls = self._calls()[made:]
        self.check(
            f"The next turn finds nothing new and writes nothing (calls: {len(calls)}).",
            [call.method for call in calls] == ['GET'] and self._stamps() == before)

    def print_catalogues(self) -> None:
        """Both side by side, as the screen shows them."""
        columns = [
            ('Item', 10, lambda line: line['item_code'] or ''),
            ('Name in Xero', 22, lambda line: line['item_name'] or ''),
            ('Price', 7, lambda line: f"{line['item_price']:7.2f}" if line['item_code'] else ''),
            ('Product', 44, lambda line: line['product_id'][1] if line['product_id'] else ''),
            ('Price', 7, lambda line: f"{line['product_price']:7.2f}" if line['product_id'] else ''),
            ('Status', 48, _status),
        ]
        print(f"\n{row_of_cells((title, width) for title, width, _read in columns)}")
        print('─' * (sum(width + 2 for _title, width, _read in columns) - 2))
        lines = self._lines()
        for line in lines:
            print(row_of_cells((read(line), width) for _title, width, read in columns))
        counts = Counter(line['status'] for line in lines)
        print()
        self.check(
            ", ".join(f"{counts[status]} {text}" for status, text in STATUS.items()) + ".",
            counts == {'mapped': 12, 'item_only': 4, 'product_only': 6})

    # --- in Odoo -------------------------------------------------------------------------------------------------
    def _set(self, **settings) -> None:
        self.admin.call('xero.connection', 'write', [self.connection], settings)

    def _read(self, field: str):
        return self.admin.call('xero.connection', 'read', [self.connection], [field])[0][field]

    def _press(self, button: str, lines: list[int]) -> str:
        """Press a button of the screen; returns what its notification says."""
        return told(self.admin.call('xero.item.match', button, lines))

    def _exchange(self) -> None:
        """The button: the whole catalogue is read, and what differs is exchanged."""
        self.admin.call('xero.connection', 'action_exchange_items', [self.connection])
        work_off(self.admin)

    def _turn(self) -> None:
        """Every hour from now on, and the hour is over: what changed since is exchanged."""
        self._set(item_interval='hourly')
        work_off(self.admin)

    def _lines(self, *conditions) -> list[dict]:
        """This connection's lines of the screen."""
        return self.admin.search_read(
            'xero.item.match', [('connection_id', '=', self.connection), *conditions], LINE)

    def _items_domain(self) -> list:
        return [('connection_id', '=', self.connection), ('resource', '=', 'item'), ('direction', '=', 'in')]

    def _invoices(self) -> list[dict]:
        return self.admin.search_read(
            'xero.record', [('connection_id', '=', self.connection), ('resource', '=', 'invoice')],
            ['state', 'problem_code', 'reason', 'document_name'], order='number')

    def _product(self, code: str) -> dict:
        fields = ['name', 'lst_price', 'standard_price']
        return self.admin.call('product.product', 'read', [self.products[code]], fields)[0]

    def _change_in_odoo(self, code: str, price: float) -> None:
        self.admin.call('product.product', 'write', [self.products[code]], {'lst_price': price})

    def _code(self, product) -> str | None:
        """The internal reference of a product as Odoo answers it."""
        return next((code for code, found in self.products.items() if product and found == product[0]), None)

    def _stamps(self) -> list:
        """When everything that a turn could write was written last."""
        return [
            self.admin.search_read(model, domain, ['write_date'], order='id', context={'active_test': False})
            for model, domain in (
                ('xero.record', [('connection_id', '=', self.connection), ('resource', '=', 'item')]),
                ('product.product', [('id', 'in', list(self.products.values()))]),
                ('xero.binding', [('connection_id', '=', self.connection)]),
            )
        ]

    # --- in Xero -------------------------------------------------------------------------------------------------
    def _item(self, code: str) -> dict:
        """The item as Xero has it now, empty where it has none."""
        record = self.organisation.tables['Items'].by_number(code)
        return record.data if record else {}

    def _calls(self) -> list:
        """What was asked of this organisation about items; its invoices are looked for all the while."""
        calls = self.fake.calls(path='/(Items|Accounts|TaxRates)')
        return [call for call in calls if call.tenant_id == TABLEWARE.tenant_id]

    def _change_in_xero(self, code: str, price: float) -> None:
        item = self._item(code)
        self.organisation.update('Items', item['ItemID'], SalesDetails={**item['SalesDetails'], 'UnitPrice': price})

    # --- checks --------------------------------------------------------------------------------------------------
    def _check_prices(self, what: str, code: str, price: float) -> None:
        there, here = _price(self._item(code)), self._product(code)['lst_price']
        self.check(f"{what}: {code} costs {there:.2f} in Xero and {here:.2f} in Odoo.", there == here == price)


def _price(item: dict) -> float:
    return item.get('SalesDetails', {}).get('UnitPrice', 0.0)


def _status(line: dict) -> str:
    if line['suggestion_id']:
        return f"only in Xero, suggested {line['suggestion_score']:.0f}: {line['suggestion_id'][1]}"
    more = ''
    if line['is_shared']:
        more = "shares the item"
    elif line['push_state'] == 'failed':
        more = f"failed: {line['push_reason']}"
    elif line['item_state'] == 'skipped' and line['status'] == 'mapped':
        more = line['reason']
    return ", ".join(filter(None, [STATUS[line['status']], more]))
