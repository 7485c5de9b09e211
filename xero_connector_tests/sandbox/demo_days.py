"""The demo's third act: Xero rings by webhook, a connection is ended in Xero and comes back, calls are counted."""

import time
from datetime import timedelta

from . import utc
from .console import step
from .demo_journey import connect, trigger
from .rpc import Session
from .story import SETUPS

RINGING, LEAVING = SETUPS[4], SETUPS[0]
FREE_ORGANISATION = "Tui Kitchenware Ltd"


def add_free_organisation(fake) -> None:
    """An organisation nobody has connected yet, with invoices for a test order: for whoever tries the set-up."""
    organisation = fake.add_organisation(FREE_ORGANISATION, "NZ", "NZD")
    contact = organisation.add_contact(Name="Hine's Kitchen", Addresses=[{
        'AddressType': 'STREET', 'AddressLine1': '8 Cuba Street', 'City': 'Wellington', 'PostalCode': '6011',
        'Country': 'New Zealand'}])
    codes = [row.data['Code'] for row in fake.organisation(SETUPS[0].tenant_id).tables['Items']][:4]
    for code in codes:
        organisation.add_item(Code=code, Name=code)
    for number, code in enumerate(codes):
        organisation.add_invoice(
            Contact={'ContactID': contact['ContactID']}, Reference=f'Shop order {number + 1}',
            Date=str(utc.today() - timedelta(days=number)),
            LineItems=[{'ItemCode': code, 'Description': f'{code} for the shop', 'Quantity': 2 + number,
                        'UnitAmount': 12.5, 'AccountCode': '200', 'TaxType': 'NONE'}])


def play(admin: Session, fake) -> list[str]:
    """Returns a sentence for each thing that did not go as it should."""
    print("\nOn other days")
    return [*_ring(admin, fake), *_leave_and_come_back(admin, fake), *_count_calls(admin)]


def _ring(admin: Session, fake) -> list[str]:
    """Subscribe to webhooks as on Xero's developer page, write an invoice there, and wait for its order."""
    app = admin.search_read('xero.app', [], ['webhook_url'])[0]
    admin.call('xero.app', 'write', [app['id']], {'webhook_key': 'the demo signs with this'})
    subscription = fake.webhooks.subscribe(app['webhook_url'], 'the demo signs with this')
    if subscription.status != 'ok':
        return [_differs(f"Xero's intent to receive failed: {subscription.reason}")]
    fake.webhooks.automatic = True
    organisation = fake.organisation(RINGING.tenant_id)
    template = next(row.data for row in organisation.tables['Invoices'] if row.data['Status'] == 'AUTHORISED')
    code = next(item['ItemCode'] for item in template['LineItems'] if item.get('ItemCode'))
    line = {'ItemCode': code, 'Description': 'Rung in', 'Quantity': 1, 'UnitAmount': 9.0, 'AccountCode': '200'}
    began = time.monotonic()
    with step("Waiting for an invoice to ring"):
        invoice = organisation.add_invoice(
            Contact={'ContactID': template['Contact']['ContactID']}, Reference='Rung in', Date=str(utc.today()),
            LineItems=[line])
        row = _wait_for_row(admin, invoice['InvoiceID'])
    if not row or row['state'] != 'done':
        return [_differs(f"{invoice['InvoiceNumber']} rang, but did not become an order: {row}")]
    seconds = time.monotonic() - began
    print(f"  Webhooks: {invoice['InvoiceNumber']} was written in Xero and was {row['document_name']} "
          f"{seconds:.0f} s later, unasked.")
    return []


def _wait_for_row(admin: Session, invoice_id: str, patience: int = 90) -> dict | None:
    """The invoice's row of the log once it is worked off; Odoo's scheduler does it by itself."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        rows = admin.search_read(
            'xero.record', [('external_id', '=', invoice_id), ('state', '!=', 'pending')], ['state', 'document_name'])
        if rows:
            return rows[0]
        time.sleep(0.5)  # Odoo has no signal for a row that is done
    return None


def _leave_and_come_back(admin: Session, fake) -> list[str]:
    """Somebody disconnects in Xero; the daily check notices; reconnecting mends it."""
    fake.identity.disconnect(LEAVING.tenant_id)
    trigger(admin, 'ir_cron_health')
    found = _connection(admin)
    if found['state'] != 'error' or not found['activity_ids']:
        return [_differs(f"a disconnection made in Xero was not noticed: {found}")]
    print(f"  Health: {found['message']} Its responsible person was called.")
    connect(admin, fake, LEAVING)
    found = _connection(admin)
    if found['state'] != 'connected' or found['message']:
        return [_differs(f"reconnecting did not mend the connection: {found}")]
    print("  Reconnected: the dot is green, the call is taken back, settings and log are as they were.")
    return []


def _count_calls(admin: Session) -> list[str]:
    text = _connection(admin)['budget_text']
    if not text:
        return [_differs("the connection does not know how many calls are left")]
    print(f"  Calls: {text}")
    return []


def _connection(admin: Session) -> dict:
    domain = [('name', '=', LEAVING.connection)]
    return admin.search_read('xero.connection', domain, ['state', 'message', 'activity_ids', 'budget_text'])[0]


def _differs(sentence: str) -> str:
    print(f"  ✗ {sentence}")
    return sentence
