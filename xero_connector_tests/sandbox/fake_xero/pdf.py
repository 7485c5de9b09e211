"""A real PDF of an invoice or credit note."""
from io import BytesIO
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from .formats import parse_date

_STYLES = getSampleStyleSheet()
_TITLES = {"ACCREC": "TAX INVOICE", "ACCPAY": "BILL", "ACCRECCREDIT": "CREDIT NOTE", "ACCPAYCREDIT": "CREDIT NOTE"}


def _text(value, style="BodyText"):
    return Paragraph(escape(str(value or "")).replace("\r\n", "<br/>").replace("\n", "<br/>"), _STYLES[style])


def _postal_address(contact):
    """Lines of the POBOX address: that is the one Xero prints (`xero-api.md` 3.3)."""
    address = next((entry for entry in contact.get("Addresses", []) if entry.get("AddressType") == "POBOX"), {})
    keys = ("AddressLine1", "AddressLine2", "City", "Region", "PostalCode", "Country")
    return [contact.get("Name", ""), *(address[key] for key in keys if address.get(key))]


def _amount(value, pattern=",.2f"):
    try:
        return "" if value is None else format(float(value), pattern)
    except (TypeError, ValueError):
        return str(value)  # verbatim data may hold anything


def _lines(data):
    rows = [["Description", "Quantity", "Unit price", "Amount"]]
    for line in data.get("LineItems", []):
        quantity, price = line.get("Quantity"), line.get("UnitAmount")
        rows.append([_text(line.get("Description") or line.get("ItemCode")),
                     _amount(quantity, "g"), _amount(price, ",.4f"),
                     _amount(line.get("LineAmount"))])
    table = Table(rows, colWidths=[95 * mm, 20 * mm, 28 * mm, 28 * mm], repeatRows=1)
    table.setStyle(TableStyle([("LINEBELOW", (0, 0), (-1, 0), 1, "black"), ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
                               ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEBELOW", (0, 1), (-1, -1), 0.25, "grey")]))
    return table


def render_pdf(organisation, record):
    """The bytes of the document's PDF; the same document gives the same bytes."""
    data = record.data
    contact = organisation.tables["Contacts"].get((data.get("Contact") or {}).get("ContactID"))
    name = data.get("InvoiceNumber") or data.get("CreditNoteNumber") or record.id
    try:
        day = parse_date(data.get("Date"))
    except ValueError:
        day = None
    story = [_text(organisation.name, "Heading3"), _text(_TITLES.get(data.get("Type"), "DOCUMENT"), "Title"),
             *(_text(line) for line in _postal_address(contact.data if contact else data.get("Contact") or {})),
             Spacer(1, 4 * mm), _text(f"Number: {name}"), _text(f"Date: {day or ''}"),
             _text(f"Reference: {data.get('Reference', '')}"), Spacer(1, 6 * mm), _lines(data), Spacer(1, 4 * mm)]
    for label, key in (("Subtotal", "SubTotal"), ("Tax", "TotalTax"), ("Total", "Total")):
        story.append(_text(f"{label}: {_amount(data.get(key))} {data.get('CurrencyCode', '')}"))
    target = BytesIO()
    SimpleDocTemplate(target, pagesize=A4, title=str(name), author=organisation.name, invariant=1).build(story)
    return target.getvalue()
