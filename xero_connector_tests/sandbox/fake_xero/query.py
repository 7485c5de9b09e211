"""Lists: filters, `where`, order, If-Modified-Since, paging (`xero-api.md` 2, 3.2)."""
from .formats import parse_instant
from .http import bad_request
from .store import ID_FIELDS, NUMBER_FIELDS
from .where import WhereError, compile_where

DEFAULT_PAGE, LARGEST_PAGE = 100, 1000
HIGH_VOLUME = 100_000
PAGED = ("Invoices", "CreditNotes", "Contacts", "Payments")
_DOCUMENT = """Type Status Reference Date DueDate Total SubTotal TotalTax CurrencyCode CurrencyRate UpdatedDateUTC
    Contact LineAmountTypes SentToContact BrandingThemeID FullyPaidOnDate HasAttachments"""
# the names `where` and `order` know
FIELDS = {resource: names.split() for resource, names in {
    "Invoices": _DOCUMENT + """ InvoiceID InvoiceNumber AmountDue AmountPaid AmountCredited IsDiscounted Url
        ExpectedPaymentDate PlannedPaymentDate RepeatingInvoiceID""",
    "CreditNotes": _DOCUMENT + " CreditNoteID CreditNoteNumber RemainingCredit",
    "Contacts": """ContactID ContactNumber AccountNumber Name FirstName LastName EmailAddress ContactStatus IsCustomer
        IsSupplier UpdatedDateUTC CompanyNumber TaxNumber DefaultCurrency""",
    "Items": """ItemID Code Name Description IsSold IsPurchased IsTrackedAsInventory UpdatedDateUTC SalesDetails
        PurchaseDetails QuantityOnHand""",
    "Payments": "PaymentID Date Amount Reference Status PaymentType Account Invoice UpdatedDateUTC IsReconciled",
    "Accounts": """AccountID Code Name Type Status Class TaxType CurrencyCode BankAccountType UpdatedDateUTC
        EnablePaymentsToAccount SystemAccount""",
    "TaxRates": "Name TaxType Status EffectiveRate DisplayTaxRate ReportTaxType CanApplyToRevenue",
    "Currencies": "Code Description", "TrackingCategories": "Name Status TrackingCategoryID",
    "BrandingThemes": "Name BrandingThemeID", "Users": "UserID EmailAddress OrganisationRole",
    "Organisations": "Name",
}.items()}


def view_of(organisation, record):
    """A callable that answers the value of a path; `Contact.…` looks into the contact itself."""
    def value(path):
        target = record.data
        if path[0] == "Contact" and not record.verbatim:
            contact = organisation.tables["Contacts"].get((target.get("Contact") or {}).get("ContactID"))
            target = {"Contact": contact.data} if contact else target
        for name in path:
            if not isinstance(target, dict):
                return None
            if name not in target:
                name = next((key for key in target if key.lower() == name.lower()), name)
            target = target.get(name)
        return target
    return value


def _split(text):
    return {part.strip().casefold() for part in text.split(",") if part.strip()}


def _list_filters(resource, query):
    """Predicates over records for the comma lists and switches."""
    checks = []

    def among(parameter, answer):
        if query.get(parameter.lower()):
            wanted = _split(query[parameter.lower()])
            checks.append(lambda row: str(answer(row) or "").casefold() in wanted)

    among("IDs", lambda row: row.id)
    if resource in ("Invoices", "CreditNotes"):
        among("InvoiceNumbers", lambda row: row.data.get("InvoiceNumber"))
        among("Statuses", lambda row: row.data.get("Status"))
        among("ContactIDs", lambda row: (row.data.get("Contact") or {}).get("ContactID"))
    if query.get("createdbymyapp", "").lower() == "true":
        checks.append(lambda row: row.created_by_app)
    if resource == "Contacts" and query.get("includearchived", "").lower() != "true":
        checks.append(lambda row: row.data.get("ContactStatus", "ACTIVE") == "ACTIVE")
    term = query.get("searchterm", "").casefold()
    if term:
        names = {"Contacts": ("Name", "FirstName", "LastName", "ContactNumber", "CompanyNumber", "EmailAddress")}
        searched = names.get(resource, (NUMBER_FIELDS.get(resource, "Name"), "Reference"))
        checks.append(lambda row: any(term in str(row.data.get(name) or "").casefold() for name in searched))
    return checks


def _modified_since(headers):
    """The instant of If-Modified-Since in whole seconds, or None."""
    text = headers.get("if-modified-since")
    if not text:
        return None
    try:
        return parse_instant(text).replace(microsecond=0)
    except (ValueError, AttributeError):
        raise bad_request(f"The If-Modified-Since header {text!r} is not a date", 16, "QueryParseException") from None


def _order_key(value):
    """Sortable in any mixture: missing values first, instants as instants, text in any case."""
    if isinstance(value, str) and value.startswith("/Date("):
        value = parse_instant(value).timestamp()
    if value is None:
        return (0, 0)
    return (1, value) if isinstance(value, (int, float)) else (2, str(value).casefold())


def _ordered(organisation, resource, rows, order):
    """Rows by `order`, such as `Date DESC, InvoiceNumber`; the stable default is UpdatedDateUTC, then id."""
    rows = sorted(rows, key=lambda row: (row.updated, row.id))
    known = {field.lower(): field for field in FIELDS[resource]}
    for part in reversed([part for part in (order or "").split(",") if part.strip()]):
        name, _space, direction = part.strip().partition(" ")
        path = name.split(".")
        if path[0].lower() not in known:
            raise bad_request(f"No property or field '{name}' exists", 16, "QueryParseException")
        path[0] = known[path[0].lower()]
        if path == ["UpdatedDateUTC"]:
            rows.sort(key=lambda row: row.updated, reverse=direction.strip().lower().startswith("desc"))
        else:
            rows.sort(key=lambda row: _order_key(view_of(organisation, row)(path)),
                      reverse=direction.strip().lower().startswith("desc"))
    return rows


def _integer(query, name, default):
    try:
        return int(query.get(name) or default)
    except ValueError:
        raise bad_request(f"The value {query[name]!r} of {name} is not a number", 16, "QueryParseException") from None


def is_paged(resource, query):
    """`Statuses` and `summaryOnly` switch paging on by themselves."""
    return resource in PAGED and ("page" in query or "pagesize" in query or (
        resource == "Invoices" and ("statuses" in query or query.get("summaryonly", "").lower() == "true")))


def select(organisation, resource, request):
    """The records a list request asks for and its pagination object (None when unpaged).

    :raises HttpError: 400 when `where` or `order` cannot be read, or the answer would be too big.
    """
    query = {name.lower(): value for name, value in request.query.items()}
    checks = _list_filters(resource, query)
    since = _modified_since(request.headers)
    if since:
        checks.append(lambda row: row.updated > since)
    if query.get("where"):
        try:
            predicate = compile_where(query["where"], [*FIELDS[resource], ID_FIELDS[resource]])
        except WhereError as error:
            raise bad_request(str(error), 16, "QueryParseException") from error
        checks.append(lambda row: predicate(view_of(organisation, row)))
    rows = [row for row in organisation.tables[resource] if all(check(row) for check in checks)]
    if len(rows) > HIGH_VOLUME:
        raise bad_request("The request would touch too many documents", 51, "HighVolumeException")
    rows = _ordered(organisation, resource, rows, query.get("order"))
    if not is_paged(resource, query):
        return rows, None
    page = max(1, _integer(query, "page", 1))
    size = _integer(query, "pagesize", DEFAULT_PAGE)
    size = min(size, LARGEST_PAGE) if size > 0 else DEFAULT_PAGE
    pagination = {"page": page, "pageSize": size, "pageCount": -(-len(rows) // size), "itemCount": len(rows)}
    return rows[(page - 1) * size:page * size], pagination
