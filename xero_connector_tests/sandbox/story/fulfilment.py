"""What the warehouse itself bills: its orders and invoices are in Odoo, its books in a Xero of its own."""
from typing import NamedTuple

from .setups import Setup

# Its connection is not among the SETUPS: the accountant makes it when billing is to reach Xero by itself.
BOOKS = Setup(
    organisation="Anchor Lane Fulfilment Inc", country="US", currency="USD", connection="Anchor Lane, own books",
    settings={"import_orders": False, "attach_pdf": False, "price_source": "odoo", "description_source": "odoo",
              "export_source": "sale_order", "export_status": "authorised"},
    rules=[], tenant_id="a1c0de00-0007-4000-8000-000000000007")
SALES_TAX = 8.25


class Service(NamedTuple):
    """What is billed: internal reference, name, price, and whether it is goods that are shipped."""

    code: str
    name: str
    price: float
    is_goods: bool = False


SERVICES = [
    Service("STORE-PLT", "Pallet storage, a week", 14.5),
    Service("PICK-PACK", "Pick and pack, an order", 3.35),
    Service("LABELLING", "Labelling, a hundred pieces", 7.77),
    Service("CARTON-M", "Carton 40 x 30 x 30 cm", 1.85, is_goods=True),
    Service("CARTON-L", "Carton 60 x 40 x 40 cm", 3.19, is_goods=True),
    Service("WRAP-500", "Stretch wrap, roll of 500 mm", 12.9, is_goods=True),
]
# Booked on an account of its own, which nobody thinks of at first.
STORAGE = "STORE-PLT"


class Customer(NamedTuple):
    """Name, whether Xero has a contact of that name, and whether its documents are sent by themselves."""

    name: str
    is_contact: bool
    by_itself: bool = False


CUSTOMERS = [
    Customer("Northpoint Outfitters", is_contact=True),
    Customer("Cedar & Finch Candles", is_contact=True, by_itself=True),
    Customer("Old Mill Pottery", is_contact=True),
    Customer("Brightwater Coffee Roasters", is_contact=False, by_itself=True),
    Customer("Hartley & Moss Ltd", is_contact=False),
]


def open_fulfilment(fake):
    """The warehouse's own books: contacts, and a second currency. Returns its organisation."""
    organisation = fake.add_organisation(
        BOOKS.organisation, BOOKS.country, BOOKS.currency, OrganisationID=BOOKS.tenant_id)
    organisation.subscribe("GBP")
    for customer in CUSTOMERS:
        if customer.is_contact:
            organisation.add_contact(Name=customer.name)
    return organisation
