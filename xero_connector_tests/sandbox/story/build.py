"""Fills the fake Xero with the five organisations, always the same for the same day."""
import random
import uuid
from datetime import datetime, time, timedelta, timezone

from ..fake_xero.formats import number
from .catalogue import BY_CODE, goods_of
from .decide import Facts, expect
from .people import BROKEN, addresses, broken_addresses, contact_fields, names
from .setups import SETUPS

SEED = 20261101
DAYS = 90
CONTACTS = 38
# how many of each kind an organisation has; the rest are plain sales
KINDS = {"bill": 5, "draft": 3, "submitted": 1, "voided": 2, "deleted": 1, "credited": 2, "part_credited": 1,
         "unknown_code": 3, "broken": 1, "plain": 42}
NOTES = ("Leave at the loading dock, ring the bell twice", "Closed on Mondays, please deliver after 10",
         "Fragile: this way up", "Call ahead: gate code with reception", "Pack in plain cartons, no labels")


class Book:
    """One organisation while it is being filled."""

    def __init__(self, fake, setup, today, seed):
        self.fake, self.setup, self.today = fake, setup, today
        self.rng = random.Random(seed)
        self.organisation = fake.add_organisation(setup.organisation, setup.country, setup.currency,
                                                  OrganisationID=setup.tenant_id)
        self.goods = goods_of(setup.ranges)
        self.running = 1000
        self.expected = []
        self._names = names(self.rng)
        self.add_items()
        self.contacts = [self.add_contact(setup.country) for _ in range(CONTACTS)]
        self.abroad = [self.add_contact(setup.foreign[2]) for _ in range(3)] if setup.foreign else []

    def new_id(self):
        """A GUID that is the same in every run: Odoo must know the invoices again when the demo is restarted."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def stamp(self, day):
        """An instant in the evening of a day, never in the future."""
        moment = datetime.combine(day, time(self.rng.randint(8, 19), self.rng.randint(0, 59)), timezone.utc)
        return min(moment, self.fake.clock.now())

    # --- what there is to sell, and to whom ------------------------------------------------------------------------
    def add_items(self):
        """The organisation's items: its ranges of the catalogue, two services, one that Odoo does not know."""
        for index, product in enumerate([*self.goods, BY_CODE["FREIGHT"], BY_CODE["GIFTWRAP"]]):
            # people type codes as they like: now and then an item's code is in another case than Odoo's
            code = product.code.lower() if index % 11 == 5 else product.code
            self.add_item(code, product.name, product.price)
        self.add_item(f"NEW-{self.setup.prefix.strip('-')}-26", "Spring special, not in the warehouse yet", 39.0)

    def add_item(self, code, name, price):
        """One item; freight and its like book on another account."""
        account = "260" if code in ("FREIGHT", "GIFTWRAP") else "200"
        self.organisation.add_item(
            ItemID=self.new_id(), Code=code, Name=name, Description=name, updated=self.stamp(self.start),
            SalesDetails={"UnitPrice": price, "AccountCode": account},
            PurchaseDetails={"UnitPrice": number(price * 0.55, 2), "AccountCode": "310"})

    @property
    def start(self):
        """The day before the first invoice."""
        return self.today - timedelta(days=DAYS + 1)

    def add_contact(self, country, broken=None):
        """A contact of a country; `broken` names what its address lacks."""
        found = broken_addresses(self.rng, country, broken) if broken else addresses(self.rng, country)
        fields = contact_fields(self.rng, next(self._names), country, found, self.new_id())
        return self.organisation.add_contact(updated=self.stamp(self.start), **fields)

    # --- lines -----------------------------------------------------------------------------------------------------
    def goods_line(self, inclusive, factor):
        """A line of goods; tax-inclusive prices have four decimals, some lines a discount."""
        product = self.rng.choice(self.goods)
        rate = float(self.organisation.tax_rate(self.organisation.default_tax()))
        price = product.price * factor * (1 + rate / 100 if inclusive else 1)
        line = {"LineItemID": self.new_id(), "ItemCode": product.code, "Quantity": self.rng.randint(1, 24),
                "UnitAmount": number(price * self.rng.uniform(0.9, 1.02), 4 if inclusive else 2)}
        chance = self.rng.random()
        if chance < 0.15:
            line["DiscountRate"] = self.rng.choice((5, 10, 12.5, 5.02))
        elif chance < 0.2:
            line["DiscountAmount"] = 2.5
        return line

    def lines(self, inclusive, factor):
        """One to four goods, often freight (with or without a code), sometimes a text."""
        lines = [self.goods_line(inclusive, factor) for _ in range(self.rng.randint(1, 4))]
        freight = self.rng.choice((None, "text", "text", "code"))
        if freight:
            line = {"LineItemID": self.new_id(), "Description": "Freight", "Quantity": 1, "AccountCode": "260",
                    "UnitAmount": number(12.8 * factor, 2)}
            lines.append({**line, "ItemCode": "FREIGHT"} if freight == "code" else line)
        if self.rng.random() < 0.3:
            lines.append({"LineItemID": self.new_id(), "Description": self.rng.choice(NOTES)})
        return lines

    # --- invoices --------------------------------------------------------------------------------------------------
    def fields(self, day, kind):
        """The fields of a sales invoice of some kind, without contact and status."""
        foreign = bool(self.abroad) and kind == "plain" and self.rng.random() < 0.08
        inclusive = not foreign and self.rng.random() < self.setup.inclusive
        factor = self.setup.foreign[1] if foreign else 1.0
        self.running += 1
        templates = list(self.setup.references)
        reference = self.rng.choices(templates, list(self.setup.references.values()))[0]
        fields = {
            "InvoiceID": self.new_id(), "InvoiceNumber": f"{self.setup.prefix}{self.running}", "Date": day,
            "DueDate": day + timedelta(days=14), "Reference": reference.format(n=self.rng.randint(1000, 9999)),
            "LineAmountTypes": "Inclusive" if inclusive else "Exclusive", "LineItems": self.lines(inclusive, factor),
            "Contact": self.rng.choice(self.abroad if foreign else self.contacts)["ContactID"],
            "SentToContact": self.rng.random() < 0.7}
        if foreign:  # exports carry no tax
            fields.update(CurrencyCode=self.setup.foreign[0], CurrencyRate=factor, LineAmountTypes="NoTax")
        elif self.rng.random() < 0.1:
            fields["CurrencyRate"] = None
        return fields

    def routed(self):
        """A reference that brings an invoice to a warehouse the customer may use."""
        return f"PO {self.rng.randint(1000, 9999)} {self.setup.rules[0].reference_contains}" if (
            self.setup.rules and not self.setup.warehouse) else f"PO {self.rng.randint(1000, 9999)}"

    def sell(self, kind, day, status, **facts):
        """A sales invoice and what is expected of it."""
        fields = self.fields(day, kind)
        broken, reference = facts.pop("broken", None), facts.pop("reference", None)
        if broken or "codes_known" in facts:
            fields["Reference"] = self.routed()
        if reference:
            fields["Reference"] = reference
        if broken:
            fields["Contact"] = self.add_contact(self.setup.country, broken)["ContactID"]
            facts["address_complete"] = False
        if "codes_known" in facts:
            code = f"NEW-{self.setup.prefix.strip('-')}-26"
            fields["LineItems"].append({"LineItemID": self.new_id(), "ItemCode": code, "Quantity": 3})
        invoice = self.organisation.add_invoice(updated=self.stamp(day), Status=status, **fields)
        if self.rng.random() < 0.12:
            self.organisation.add_history_note(invoice["InvoiceID"], self.rng.choice(NOTES), when=self.stamp(day))
        if status not in ("DRAFT", "SUBMITTED"):
            self.expected.append((invoice, Facts(invoice["InvoiceNumber"], fields["Reference"], status, **facts)))
        return invoice

    def credit(self, day, share):
        """An invoice settled by a credit note for `share` of it, the rest by a payment."""
        invoice = self.sell("credited", day, "AUTHORISED")
        amount = number(invoice["Total"] * share, 2)
        note = self.organisation.add_credit_note(
            updated=self.stamp(day), CreditNoteID=self.new_id(), Contact=invoice["Contact"]["ContactID"], Date=day,
            CurrencyCode=invoice["CurrencyCode"], LineAmountTypes="NoTax", Reference=invoice["InvoiceNumber"],
            LineItems=[{"LineItemID": self.new_id(), "Description": f"Credit of {invoice['InvoiceNumber']}",
                        "Quantity": 1, "UnitAmount": amount, "AccountCode": "200"}])
        self.organisation.allocate(note, invoice, amount, date=day, updated=self.stamp(day))
        if share < 1:
            self.organisation.add_payment(invoice, date=day, updated=self.stamp(day))
        facts = self.expected[-1][1]
        facts.status, facts.credited = "PAID", share == 1

    def bill(self, day):
        """A purchase: none of the warehouse's business."""
        self.organisation.add_invoice(
            updated=self.stamp(day), Type="ACCPAY", InvoiceID=self.new_id(), Date=day,
            InvoiceNumber=f"S{self.rng.randint(1, 9999)}", Contact=self.rng.choice(self.contacts)["ContactID"],
            LineItems=[
                {"LineItemID": self.new_id(), "Description": "Raw material", "Quantity": 10, "UnitAmount": 31.5,
                 "AccountCode": "310"}])

    def add(self, kind, day):
        """One document of a kind."""
        paid = self.rng.random() < (0.85 if self.setup.settings["trigger_status"] == "paid" else 0.4)
        open_or_paid = "PAID" if paid else "AUTHORISED"
        if kind == "bill":
            self.bill(day)
        elif kind in ("draft", "submitted", "voided", "deleted"):
            self.sell(kind, day, kind.upper())
        elif kind in ("credited", "part_credited"):
            self.credit(day, 1 if kind == "credited" else 0.25)
        elif kind == "unknown_code":
            self.sell(kind, day, "PAID", codes_known=False)
        elif kind == "broken":
            self.sell(kind, day, "PAID", broken=self.broken_part())
        elif kind == "denied":
            self.sell(kind, day, open_or_paid, reference=f"Old Auckland depot {self.rng.randint(1000, 9999)}")
        else:
            self.sell(kind, day, open_or_paid)

    def broken_part(self):
        """What the broken address lacks: another thing in each organisation."""
        position = SETUPS.index(self.setup)
        return "state" if position == 2 else BROKEN[position % len(BROKEN)]

    def fill(self):
        """All documents, oldest first, and what is expected of the sales."""
        kinds = [kind for kind, count in KINDS.items() for _ in range(count)]
        if self.setup.allowed_warehouses is not None:
            kinds += ["denied"] * 3
        self.rng.shuffle(kinds)
        days = sorted(self.rng.randint(1, DAYS) for _ in kinds)
        for kind, ago in zip(kinds, reversed(days), strict=True):
            self.add(kind, self.today - timedelta(days=ago))
        return [expect(self.setup, facts) for _invoice, facts in self.expected]


def build(fake, today):
    """Add the five organisations to `fake`; returns an `Expected` per sales invoice that is not a draft."""
    expected = []
    for index, setup in enumerate(SETUPS):
        expected += Book(fake, setup, today, SEED + index).fill()
    return expected
