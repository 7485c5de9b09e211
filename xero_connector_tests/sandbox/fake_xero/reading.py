"""GET of lists and single resources."""
from .http import Response, bad_request, not_found
from .query import is_paged, select
from .setup_books import ACTIONS
from .wire import answer, envelope, render_text


def places(request):
    """Decimals of unit prices: 4 with `unitdp=4`, else 2 (`xero-api.md` 4.1)."""
    query = {name.lower(): value for name, value in request.query.items()}
    return 4 if query.get("unitdp") == "4" else 2


def _form(resource, request):
    query = {name.lower(): value for name, value in request.query.items()}
    if resource == "Invoices" and query.get("summaryonly", "").lower() == "true":
        return "summary"
    return "list" if is_paged(resource, query) else "bare"


def get_list(call, resource):
    """A list with its filters and pages."""
    rows, pagination = select(call.organisation, resource, call.request)
    form, decimals = _form(resource, call.request), places(call.request)
    return envelope(call.clock, resource,
                    [render_text(call.organisation, row, form, decimals) for row in rows], pagination)


def get_one(call, resource, key):
    """One resource by id or number; the PDF of a document when that is accepted."""
    record = call.organisation.tables[resource].find(key)
    if not record:
        raise not_found()
    if resource in ("Invoices", "CreditNotes") and call.request.wants("application/pdf"):
        return pdf(call, record)
    return envelope(call.clock, resource, [render_text(call.organisation, record, "single", places(call.request))])


def pdf(call, record):
    """The document as Xero prints it; the file name is Xero's too."""
    from .pdf import render_pdf  # reportlab is slow to import and few tests want a PDF
    kept = record.cache.get("pdf")
    if not kept:
        kept = record.cache["pdf"] = render_pdf(call.organisation, record)
    name = record.data.get("InvoiceNumber") or record.data.get("CreditNoteNumber") or record.id
    safe = "".join(letter if 32 <= ord(letter) < 127 and letter not in '"\\' else "_" for letter in str(name))
    return Response(200, kept, "application/pdf", {"Content-Disposition": f'attachment; filename="{safe}.pdf"'})


def get_organisation(call):
    """The one organisation of this tenant."""
    return answer(call.clock, "Organisations", [row.data for row in call.organisation.tables["Organisations"]])


def get_actions(call):
    """What the user may do in this organisation."""
    return answer(call.clock, "Actions", [{"Name": name, "Status": "ALLOWED"} for name in ACTIONS])


def get_online_invoice(call, key):
    """The link customers get: sales invoices only, not drafts (`xero-api.md` 3.3)."""
    record = call.organisation.tables["Invoices"].find(key)
    if not record:
        raise not_found()
    if record.data.get("Type") != "ACCREC" or record.data.get("Status") in ("DRAFT", "SUBMITTED", "DELETED"):
        raise bad_request("The invoice is not of a type or status that can be viewed online")
    return answer(call.clock, "OnlineInvoices", [{"OnlineInvoiceUrl": f"https://in.example.com/{record.id[:8]}"}])
