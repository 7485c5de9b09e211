"""The demo's sixth act: a customer of the warehouse connects its web shop's Xero in the portal, alone."""

from urllib.parse import urljoin, urlsplit

from lxml import html

from . import utc
from .console import SandboxError, step
from .databases import DEMO
from .demo_act import Act, one_line
from .demo_journey import work_off
from .rpc import TIMEOUT, Session
from .story import SETUPS, WAREHOUSES

CUSTOMER = SETUPS[2]
SHOP = "Southern Cross Online Pty Ltd"
NAME = "Web shop"
GOLD_COAST, MELBOURNE = (
    next(place.name for place in WAREHOUSES if place.code == code) for code in ('GCW', 'MEL'))


def play(admin: Session, fake) -> list[str]:
    """Returns a sentence for each thing that did not go as it should."""
    print("\nA customer connects itself")
    act = SelfService(admin, fake, _open_shop(fake))
    act.allow()
    act.connect()
    act.configure()
    act.test_and_finish()
    act.mend()
    print(f"  See for yourself: {admin.url}/my/xero, as customer / customer.")
    return act.differences


def _open_shop(fake):
    """The customer's second organisation, with one contact and something sold."""
    shop = fake.add_organisation(SHOP, CUSTOMER.country, CUSTOMER.currency)
    goods = [row.data['Code'] for row in fake.organisation(CUSTOMER.tenant_id).tables['Items']]
    for code in (*goods[:3], 'GIFT-CARD'):
        shop.add_item(Code=code, Name=code)
    contact = shop.add_contact(Name="Banksia Hikers", Addresses=[{
        'AddressType': 'STREET', 'AddressLine1': '4 Wharf Street', 'City': 'Southport', 'Region': 'QLD',
        'PostalCode': '4215', 'Country': 'Australia'}])
    for number, (reference, code) in enumerate((("Gold Coast pick 1", goods[0]), ("Web order 2", goods[1]),
                                                ("Web order 3", 'GIFT-CARD')), start=1):
        shop.add_invoice(
            Contact={'ContactID': contact['ContactID']}, Reference=reference, Date=str(utc.today()),
            InvoiceNumber=f'WEB-{number:04}', LineItems=[{
                'ItemCode': code, 'Description': code, 'Quantity': number, 'UnitAmount': 25.0, 'AccountCode': '200'}])
    return shop


class SelfService(Act):
    """What the customer does, page by page, as a browser without JavaScript would."""

    def __init__(self, admin: Session, fake, organisation):
        super().__init__(admin, fake, organisation)
        self.customer = Session(admin.url, DEMO, 'customer', 'customer')
        self.page = None
        self.url = ''

    def allow(self) -> None:
        [user] = self.admin.search_read('res.users', [('login', '=', 'customer')], ['company_id'])
        self.admin.call('res.company', 'write', [user['company_id'][0]], {'xero_portal': True})

    def connect(self) -> None:
        self._visit('/my/xero/new')
        fee = one_line(''.join(self.page.xpath("//main//p[contains(@class, 'alert-info')]//text()")))
        self.check(f"What it costs is said before anything else: {fee}", "12.50" in fee)
        self._press('next', name=NAME)
        self.fake.auto_approve, self.fake.auto_tenants = True, [self.organisation.tenant_id]
        try:
            with step("Consent at Xero"):
                self._press('connect')
        finally:
            self.fake.auto_approve, self.fake.auto_tenants = False, []
        self.check(f"1, 2: {NAME} is connected to {SHOP}, by its owner alone.", f"Connected to {SHOP}" in self._text())

    def configure(self) -> None:
        self._visit(self.url.replace('authentication', 'configuration'))
        offered = [option.text for option in self.page.xpath("//select[@name='default']/option[@value!='']")]
        self.check(
            f"3: it may choose among {', '.join(offered[:-1])}, and no other warehouse.",
            offered == [*sorted((GOLD_COAST, MELBOURNE), key=offered.index), "Do not import"])
        self._press('add')
        targets = {option.text: option.get('value') for option in self.page.xpath("//select[@name='default']/option")}
        self._press('next', **{
            'text-n1': "Gold Coast", 'target-n1': targets[GOLD_COAST], 'default': targets[MELBOURNE]})

    def test_and_finish(self) -> None:
        [form] = [form for form in self.page.forms if 'invoice_id' in form.fields
                  and 'WEB-0001' in form.getparent().text_content()]
        self._send(form)
        self.check(
            f"Test order: WEB-0001 would go to {GOLD_COAST}. Nothing was created.",
            "would become this order" in self._text() and GOLD_COAST in self._text())
        self._press('finish', agreed='1')
        work_off(self.admin)
        self._visit(self.url)
        [row] = self.admin.search_read('xero.connection', [('name', '=', NAME)], ['done_count', 'failed_count'])
        self.check(
            f"Live: {row['done_count']} of its invoices are orders, {row['failed_count']} failed.",
            row['done_count'] == 2 and row['failed_count'] == 1)

    def mend(self) -> None:
        self._visit(f"{self.url}/log?show=failed")
        [failed] = self.page.xpath("//main//div[contains(@class, 'list-group-item')]")
        reason = one_line(failed.xpath(".//div[contains(@class, 'mt-1')]")[0].text_content())
        self.check(f"Its own log: WEB-0003 – {reason}", "GIFT-CARD" in reason)

    # --- a browser -----------------------------------------------------------------------------------------------
    def _visit(self, path: str) -> None:
        self._show(self.customer.get(urljoin(self.customer.url, path)))

    def _press(self, button: str, **values) -> None:
        """Press the button with this value or label, or of the form that leads there."""
        for form in self.page.xpath("//main//form"):
            for found in form.xpath(".//button"):
                label = one_line(found.text_content()).lower()
                if button in (found.get('value'), label) or (form.get('action') or '').endswith(f'/{button}'):
                    self._send(form, found, **values)
                    return
        raise SandboxError(f"The page {self.url} has no button {button}.")

    def _send(self, form, button=None, **values) -> None:
        data = dict(form.form_values()) | values
        if button is not None and button.get('name'):
            data[button.get('name')] = button.get('value')
        address = urljoin(self.customer.url, form.get('action') or self.url)
        self._show(self.customer.http.post(address, data=data, timeout=TIMEOUT))

    def _show(self, answer) -> None:
        answer.raise_for_status()
        self.url = urlsplit(answer.url).path
        self.page = html.fromstring(answer.text)

    def _text(self) -> str:
        return one_line(self.page.xpath("//main")[0].text_content())
