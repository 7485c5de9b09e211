"""The demo's last act: what a customer's integrations cost it in the weeks before."""

from datetime import datetime, timedelta

from . import utc
from .demo_act import Act
from .demo_journey import trigger
from .rpc import Session
from .story import SETUPS

CUSTOMER = SETUPS[2]
OLD_DEPOT = "Southern Cross Outdoor, old depot"
PRICE = 12.5
# (from, to) in days and hours after the first Monday, and whether it was a pause; the last one goes on until today
WEEKS = 3
PERIODS = {
    CUSTOMER.connection: [((0, 0), (9, 10), False), ((9, 10), (11, 15), True), ((11, 15), None, False)],
    OLD_DEPOT: [((0, 0), (10, 12), False)],
}
EXPECTED = {
    0: ["active 7 of 7 days", "active 7 of 7 days", 25.0],
    1: ["active 4 of 7 days", "active 6 of 7 days", 17.85],
    2: ["active 7 of 7 days", 12.5],
}


def remember_weeks(env) -> None:
    """As if the fee had been switched on three weeks ago. Runs inside Odoo's shell: over RPC nobody writes periods."""
    customer = env['res.partner'].search([('name', '=', CUSTOMER.customer)], limit=1)
    app = env['xero.app'].search([], limit=1)
    env['xero.connection'].create({
        'name': OLD_DEPOT, 'app_id': app.id, 'partner_id': customer.id, 'active': False})
    product = env['product.product'].create({
        'name': "Integration with your books", 'type': 'service', 'taxes_id': False})
    today = datetime.combine(utc.today(), datetime.min.time())
    monday = today - timedelta(days=today.weekday(), weeks=WEEKS)
    env.company.write({'xero_fee': True, 'xero_fee_product_id': product.id, 'xero_fee_price': PRICE})
    env.flush_all()
    env.company.xero_fee_from = monday
    connections = env['xero.connection'].with_context(active_test=False)
    env['xero.active.period'].create([{
        'connection_id': connections.search([('name', '=', name)]).id,
        'company_id': env.company.id,
        'partner_id': customer.id,
        'began_at': monday + timedelta(days=began[0], hours=began[1]),
        'ended_at': monday + timedelta(days=ended[0], hours=ended[1]) if ended else utc.now(),
        'is_paused': is_paused,
    } for name, periods in PERIODS.items() for began, ended, is_paused in periods])


def play(admin: Session, fake) -> list[str]:
    """Returns a sentence for each thing that did not go as it should."""
    print("\nFees of the last three weeks")
    act = Fees(admin, fake, None)
    trigger(admin, 'ir_cron_fees')
    act.tell_invoices()
    act.bill_once()
    print(f"  See for yourself: Xero → Reporting → Fees, {admin.url}/odoo/xero-fees, as accountant / accountant.")
    return act.differences


class Fees(Act):
    def tell_invoices(self) -> None:
        fees = self._fees()
        for number, fee in enumerate(fees):
            lines = self.admin.search_read(
                'account.move.line', [('move_id', '=', fee['move_id'][0]), ('product_id', '!=', False)],
                ['name', 'price_unit'], order='id')
            for line in lines:
                print(f"    {line['name'].splitlines()[-1]}: {line['price_unit']:.2f}", flush=True)
            days = [line['name'].rpartition(': ')[2] for line in lines]
            self.check(
                f"{fee['partner_id'][1]}: draft invoice of {fee['amount']:.2f}",
                [*days, fee['amount']] == EXPECTED[number] and fee['outcome'] == 'draft')
        self.check(f"{len(fees)} weeks, one invoice each.", len(fees) == WEEKS)

    def bill_once(self) -> None:
        """An invoice a person deletes is not made again."""
        last = self._fees()[-1]
        self.admin.call('account.move', 'unlink', [last['move_id'][0]])
        trigger(self.admin, 'ir_cron_fees')
        deleted = self._fees()[-1]
        self.admin.call('xero.fee', 'action_bill', [last['id']])
        again = self._fees()[-1]
        self.check(
            "The last one was deleted, and is not made again until somebody presses Bill.",
            deleted['outcome'] == 'deleted' and again['outcome'] == 'draft' and again['amount'] == last['amount'])

    def _fees(self) -> list[dict]:
        return self.admin.search_read(
            'xero.fee', [], ['partner_id', 'amount', 'move_id', 'outcome'], order='week_start')
