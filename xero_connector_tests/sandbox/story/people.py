"""Contacts with addresses as people type them, whole and broken."""
from ..fake_xero.countries import COUNTRY_NAMES

PLACES = {  # city, region, postcode
    "NZ": [("Auckland", "", "1010"), ("Napier", "Hawke's Bay", "4110"), ("Hamilton", "Waikato", "3204"),
           ("Nelson", "", "7010"), ("Dunedin", "Otago", "9016"), ("Wellington", "", "6011")],
    "AU": [("Southport", "QLD", "4215"), ("Geelong", "VIC", "3220"), ("Newcastle", "NSW", "2300"),
           ("Fremantle", "WA", "6160"), ("Hobart", "TAS", "7000"), ("Adelaide", "SA", "5000")],
    "GB": [("Leeds", "West Yorkshire", "LS1 4DY"), ("Bath", "", "BA1 1LZ"), ("York", "", "YO1 7HH"),
           ("Sheffield", "", "S1 2HE"), ("Kendal", "Cumbria", "LA9 4BD"), ("Norwich", "Norfolk", "NR2 1TF")],
    "US": [("Portland", "OR", "97205"), ("Austin", "TX", "78701"), ("Burlington", "VT", "05401")],
}
STREETS = ("High Street", "Station Road", "Victoria Street", "Harbour Parade", "Mill Lane", "Queen Street",
           "Kowhai Avenue", "Bridge Street")
FIRST = ("Little Creek", "Bluebird", "Old Mill", "Lighthouse", "Three Rivers", "Copper Kettle", "Green Door",
         "Saltbush", "Northside", "Fern & Fig", "Redwood", "Hilltop", "Anchor", "Magpie", "Summit", "Paper Boat")
SECOND = ("Cafe", "Stores", "Gifts", "Outfitters", "Pantry", "Trading", "Hardware", "Collective", "Deli", "Supplies")
BROKEN = ("street", "city", "postcode", "everything")


def _address(rng, country, kind):
    city, region, postcode = rng.choice(PLACES[country])
    line = f"PO Box {rng.randint(10, 9999)}" if kind == "POBOX" else f"{rng.randint(1, 240)} {rng.choice(STREETS)}"
    return {"AddressType": kind, "AddressLine1": line, "City": city, "Region": region, "PostalCode": postcode,
            "Country": COUNTRY_NAMES[country]}


def addresses(rng, country):
    """Complete addresses: street and post box, only a street, or (one in eight) only a post box."""
    kinds = rng.choice((("STREET",), ("STREET",), ("STREET", "POBOX"), ("STREET", "POBOX"), ("STREET", "POBOX"),
                        ("STREET",), ("STREET", "POBOX"), ("POBOX",)))
    return [_address(rng, country, kind) for kind in kinds]


def broken_addresses(rng, country, what):
    """A street address that lacks `what`, and no other address."""
    if what == "everything":
        return []
    address = _address(rng, country, "STREET")
    key = {"street": "AddressLine1", "city": "City", "postcode": "PostalCode", "state": "Region"}[what]
    return [{**address, key: ""}]


def names(rng):
    """Endless company names, each once."""
    pairs = [f"{first} {second}" for first in FIRST for second in SECOND]
    rng.shuffle(pairs)
    return iter(pairs)


def contact_fields(rng, name, country, address_list, contact_id):
    """A contact as Xero stores it."""
    mail = "".join(letter for letter in name.lower() if letter.isalnum())
    fields = {"ContactID": contact_id, "Name": name, "EmailAddress": f"orders@{mail}.example",
              "Addresses": address_list}
    if rng.random() < 0.5:
        fields["Phones"] = [{"PhoneType": "DEFAULT", "PhoneNumber": f"555 {rng.randint(1000, 9999)}",
                             "PhoneAreaCode": f"0{rng.randint(2, 9)}", "PhoneCountryCode": ""}]
    if rng.random() < 0.4:
        fields.update(FirstName=rng.choice(("Aroha", "Sam", "Priya", "Tom", "Grace")), LastName="Walker")
    return fields
