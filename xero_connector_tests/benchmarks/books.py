"""The fake Xero of another process, filled through its control door."""

from datetime import datetime, timedelta, timezone

import requests

ADDRESS = {
    'AddressType': 'STREET', 'AddressLine1': '12 Quay Street', 'City': 'Auckland', 'PostalCode': '1010',
    'Country': 'New Zealand',
}
APART = timedelta(seconds=10)  # between two changes: so few lie in one overlap of the watermark


class Books:
    """All organisations of the fake at `url`."""

    def __init__(self, url: str):
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def ask(self, method: str, path: str, **body):
        answer = self._session.request(method, f'{self.url}/_fake/{path}', json=body or None, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def describe(self) -> dict:
        """Addresses, client id and client secret."""
        return self.ask('GET', '')

    def approve(self, tenant_id: str) -> None:
        """From now on the consent page grants this organisation, without a click."""
        self.ask('POST', 'settings', auto_approve=True, auto_tenants=[tenant_id])

    def calls(self) -> list[dict]:
        """The requests to Xero since the last time this was asked."""
        calls = self.ask('GET', 'log')
        self.ask('DELETE', 'log')
        return calls


class Organisation:
    """One set of books: contacts whose address is complete, and invoices of three lines."""

    def __init__(self, books: Books, name: str, currency: str, codes: list[str], contacts: int):
        """`codes` are the item codes its invoices take turns with."""
        self._books, self._codes = books, codes
        self.name = name
        self.tenant_id = books.ask('POST', 'organisations', name=name, country='NZ', currency=currency)['tenant_id']
        for code in codes:
            self._add('Items', Code=code, Name=code)
        self._contacts = [
            self._add('Contacts', Name=f'{name} customer {number}', Addresses=[ADDRESS])['ContactID']
            for number in range(contacts)
        ]
        self.count = self.item_count = 0
        # in the past, so that none is newer than the clock of whoever asks for what changed
        self._changed = datetime.now(timezone.utc) - timedelta(days=30)

    def _add(self, resource: str, **fields) -> dict:
        return self._books.ask('POST', f'organisations/{self.tenant_id}/{resource}', **fields)

    def add_items(self, number: int) -> list[dict]:
        """So many new items with prices, an account and a tax type on both sides."""
        items = []
        for _each in range(number):
            self.item_count += 1
            self._changed += APART
            items.append(self._add(
                'Items', updated=self._changed.isoformat(), Code=f'SKU-{self.item_count:05}',
                Name=f'Article {self.item_count}', Description=f'Article {self.item_count}, as in the catalogue',
                PurchaseDescription=f'Article {self.item_count}, as the supplier calls it',
                SalesDetails={'UnitPrice': 20, 'AccountCode': '200', 'TaxType': 'OUTPUT2'},
                PurchaseDetails={'UnitPrice': 10, 'AccountCode': '310', 'TaxType': 'INPUT2'},
            ))
        return items

    def change_item(self, item: dict, price: float, description: str) -> None:
        self._changed += APART
        self._books.ask(
            'POST', f"organisations/{self.tenant_id}/Items/{item['ItemID']}", updated=self._changed.isoformat(),
            Description=description, SalesDetails={**item['SalesDetails'], 'UnitPrice': price})

    def items(self) -> dict[str, dict]:
        """All items as they are now, by code."""
        items = self._books.ask('GET', f'organisations/{self.tenant_id}/Items')
        return {item['Code']: item for item in items}

    def add_invoices(self, number: int, reference: str = 'PO') -> None:
        """So many new invoices awaiting payment, 15 % tax on top; contacts and items take turns."""
        for _each in range(number):
            self.count += 1
            self._changed += APART
            self._add(
                'Invoices', updated=self._changed.isoformat(), Reference=f'{reference} {self.count}',
                Contact={'ContactID': self._contacts[self.count % len(self._contacts)]},
                LineItems=[self._line(self.count + step) for step in range(3)],
            )

    def _line(self, number: int) -> dict:
        code = self._codes[number % len(self._codes)]
        return {
            'ItemCode': code, 'Description': f'{code}, as agreed on the phone', 'Quantity': 1 + number % 4,
            'UnitAmount': 12.5, 'AccountCode': '200', 'TaxType': 'OUTPUT2',
        }
