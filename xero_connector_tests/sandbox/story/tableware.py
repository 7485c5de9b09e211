"""A shop that kept two catalogues by hand, in Xero and in Odoo, before it exchanged them: what differs is typical."""
from typing import NamedTuple

from .setups import Setup

# Its connection is not among the SETUPS: an administrator makes it when the catalogues are to become one.
TABLEWARE = Setup(
    organisation="Willow & Stone Tableware Inc", country="US", currency="USD", connection="Willow & Stone, both ways",
    settings={"order_target": "sale_order", "unmatched_action": "default", "attach_pdf": False,
              "price_source": "xero", "description_source": "odoo"},
    rules=[], warehouse="AKL", tenant_id="a1c0de00-0006-4000-8000-000000000006")
# An item nobody has mapped yet, which invoices name all the same.
INVOICED_CODE = "MUG 01"


class Article(NamedTuple):
    """A line of a catalogue: code, name, sales price, purchase price."""

    code: str
    name: str
    price: float
    cost: float


IN_XERO = [
    Article("PLT-27", "Dinner plate 27 cm", 22.0, 9.5),
    Article("PLT-21", "Side plate 21 cm", 16.0, 7.0),
    Article("BWL-16", "Soup bowl", 17.5, 7.8),
    Article("JUG-1L", "Water jug 1 litre", 34.0, 15.0),
    Article("tpt-ci", "Teapot, cast iron", 58.0, 26.0),
    Article("CUP-ESP", "Espresso cup", 9.5, 4.1),
    Article("CRF-75", "Carafe 0.75 l", 27.0, 12.0),
    Article("GIFTBOX", "Gift box", 6.0, 2.2),
    Article(INVOICED_CODE, "Stoneware mug, grey", 14.0, 6.0),
    Article("MUG/02", "Mug blue", 14.0, 6.0),
    Article("SPOONS", "Serving spoons, pair", 24.0, 10.0),
    Article("VASE-T", "Vase, tall", 45.0, 19.0),
    Article("NAPK6", "Napkins linen (6)", 39.0, 17.0),
    Article("SPRING-26", "Spring table set", 89.0, 40.0),
    Article("DEPOSIT", "Deposit on crates", 5.0, 5.0),
]
IN_ODOO = [
    Article("PLT-27", "Dinner plate 27 cm", 22.0, 9.5),
    Article("PLT-21", "Side plate 21 cm", 16.0, 7.0),
    Article("BWL-16", "Soup bowl 16 cm", 17.5, 7.8),
    Article("JUG-1L", "Water jug 1 litre", 36.0, 15.0),
    Article("TPT-CI", "Teapot, cast iron", 58.0, 26.0),
    Article("CUP-ESP", "Espresso cup", 9.5, 4.1),
    Article("CRF-75", "Carafe 0.75 l", 27.0, 12.0),
    Article("GIFTBOX", "Gift box", 6.0, 2.2),
    Article("GIFTBOX-XMAS", "Gift box, Christmas edition", 6.0, 2.2),
    Article("MUG-01", "Stoneware mug, grey", 14.0, 6.0),
    Article("MUG-02", "Stoneware mug, blue", 14.0, 6.0),
    Article("SRV-SPN-2", "Pair of serving spoons", 24.0, 10.0),
    Article("VSE-30", "Tall vase 30 cm", 45.0, 19.0),
    Article("LINEN-6", "Linen napkins, set of six", 39.0, 17.0),
    Article("TRV-OAK", "Oak trivet", 19.0, 8.0),
    Article("SLT-PEP", "Salt and pepper mills", 42.0, 18.0),
    # Xero takes thirty characters
    Article("TABLECLOTH-LINEN-NATURAL-140X220", "Tablecloth, natural linen, 140 x 220 cm", 95.0, 41.0),
]


def open_tableware(fake):
    """The shop's books: its items, and two invoices. Returns its organisation."""
    organisation = fake.add_organisation(
        TABLEWARE.organisation, TABLEWARE.country, TABLEWARE.currency, OrganisationID=TABLEWARE.tenant_id)
    for code, name, price, cost in IN_XERO:
        organisation.add_item(
            Code=code, Name=name, SalesDetails={"UnitPrice": price, "AccountCode": "200"},
            PurchaseDetails={"UnitPrice": cost, "AccountCode": "310"})
    contact = organisation.add_contact(Name="The Corner Bistro", Addresses=[{
        "AddressType": "STREET", "AddressLine1": "71 Alder Street", "City": "Portland", "Region": "OR",
        "PostalCode": "97205", "Country": "United States"}])
    for quantity in (12, 30):
        organisation.add_invoice(
            Contact=contact["ContactID"], Reference=f"Table {quantity}", LineItems=[
                {"ItemCode": INVOICED_CODE, "Description": "Stoneware mug, grey", "Quantity": quantity,
                 "UnitAmount": 14.0, "AccountCode": "200"},
                {"ItemCode": "PLT-27", "Description": "Dinner plate 27 cm", "Quantity": quantity,
                 "UnitAmount": 22.0, "AccountCode": "200"}])
    return organisation
