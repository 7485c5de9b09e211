"""Calls to one Xero organisation: ``xero-python`` says *what* to call, ``requests`` *how*.

The SDK's own transport retries behind our back (a PUT too), sleeps through limits and loses a page over one unknown
enum value (xero-api.md, section 8). So three of its methods are ours: authorisation, request, deserialisation.
"""

import json
import logging
import tempfile
import time
from contextlib import contextmanager
from decimal import Decimal
from urllib.parse import urlsplit

import ijson
import requests
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.identity import IdentityApi

from odoo.tools.translate import LazyTranslate

from .. import const
from . import answers, errors

_logger = logging.getLogger(__name__)
_lt = LazyTranslate("xero_connector", default_lang="en_US")

_CHUNK = 64 * 1024


class Transport(ApiClient):
    """The SDK's client over one ``requests`` session.

    :param token: callable ``(refused=None) -> str``; called with the refused token after a 401
    :param meter: callable; a context manager around each call that counts, see :func:`unmetered`
    """

    def __init__(self, token, session, meter):
        super().__init__()
        self._token = token
        self._session = session
        self._meter = meter

    def update_params_for_auth(self, headers, querys, auth_settings):
        """Authorisation is added per attempt in :meth:`request`."""

    def request(self, method, url, query_params=None, headers=None, post_params=None, body=None, **options):
        """Send one request, a second time only when the access token had expired.

        :return: the ``requests`` answer of a success
        :raise XeroError: for everything else
        """
        headers = {key: value for key, value in headers.items() if value not in (None, "")}
        # The SDK's way to say: leave the body alone. Ours goes to a file then.
        to_file = options.get("_preload_content") is False
        token = self._token()
        try:
            return self._send(method, url, query_params, headers, body, token, to_file)
        except errors.XeroDenied as error:
            if not answers.is_expired_token(error):
                raise
        return self._send(method, url, query_params, headers, body, self._token(refused=token), to_file)

    def _send(self, method, url, query, headers, body, token, to_file):
        call = f"{method} {urlsplit(url).path}"
        # Only calls to an organisation's books are limited (xero-api.md, section 2).
        meter = self._meter if const.API_PATH in url else unmetered
        with meter() as note, readable_network_errors(call):
            started = time.monotonic()
            response = self._session.request(
                method,
                url,
                params=query,
                json=body if isinstance(body, (dict, list)) else None,
                data=body if isinstance(body, (bytes, str)) else None,
                headers={**headers, "Authorization": f"Bearer {token}"},
                timeout=const.TIMEOUT,
                allow_redirects=False,
                stream=to_file,
            )
            note(response.headers)
            seconds = time.monotonic() - started
            correlation_id = response.headers.get("Xero-Correlation-Id")
            _logger.info("%s %s %.2fs %s", call, response.status_code, seconds, correlation_id)
            answers.raise_for_status(response, call)
            if _is_somebody_elses(method, url, headers, response):
                raise errors.XeroRetryLater(
                    _lt("The answer was not Xero's: something in between gave it. Check the server's network."),
                    status=response.status_code,
                    call=call,
                )
            return _body_file(response) if to_file else response

    def deserialize(self, response, response_type, response_model_finder):
        """Plain JSON with Decimal numbers, or the bytes of a file."""
        if response_type == "file":
            return response.content
        return parse_json(response)


def _body_file(response):
    """The answer's body as an open file that disappears with its last user: a list without pages may be large."""
    body = tempfile.TemporaryFile()  # noqa: SIM115 whoever reads it closes it
    for chunk in response.iter_content(_CHUNK):
        body.write(chunk)
    body.seek(0)
    return body


def _is_somebody_elses(method, url, headers, response):
    """Whether a success is none of Xero's: a page of HTML nobody asked for, or anything but *no content* for an ended
    connection (xero-api.md, section 1.4)."""
    is_page = "html" in response.headers.get("Content-Type", "") and "html" not in headers.get("Accept", "")
    # A file that people attached may well be a page.
    is_page = is_page and "/Attachments/" not in url
    return is_page or (method == "DELETE" and "/connections/" in url.lower() and response.status_code != 204)


def parse_json(response):
    """The answer's JSON with Decimal numbers.

    :raise XeroRetryLater: for HTML, a cut body or anything else that is no JSON
    """
    try:
        return json.loads(response.text, parse_float=Decimal)
    except ValueError:
        raise errors.XeroRetryLater(
            _lt("Xero's answer could not be read: it was cut off or is no JSON."),
            status=response.status_code,
            correlation_id=response.headers.get("Xero-Correlation-Id"),
        ) from None


def elements_of_file(body, name):
    """The dicts a JSON file holds under this name, one by one and never all in memory; the file is closed at the end.

    :raise XeroRetryLater: for a file that is cut off, no JSON or not of Xero's shape; what was given before holds
    """
    found = False
    try:
        with body:
            for element in ijson.items(body, f"{name}.item"):
                found = True
                if isinstance(element, dict):
                    yield element
            if not found:
                body.seek(0)
                found = (name, "start_array", None) in ijson.parse(body)
    except ijson.JSONError:
        raise errors.XeroRetryLater(_lt("Xero's answer could not be read: it was cut off or is no JSON.")) from None
    if not found:
        raise errors.XeroRetryLater(_lt("Xero's answer could not be understood."))


def elements(answer, name):
    """The list of dicts an answer holds under this name; what is no dict in it is left out.

    :raise XeroRetryLater: for an answer that is not of Xero's shape at all
    """
    if not isinstance(answer, dict) or not isinstance(answer.get(name) or [], list):
        raise errors.XeroRetryLater(_lt("Xero's answer could not be understood."))
    return [element for element in answer.get(name) or [] if isinstance(element, dict)]


@contextmanager
def readable_network_errors(call):
    """Turn what ``requests`` raises into :class:`XeroRetryLater`; its own texts may hold URLs with secrets."""
    try:
        yield
    except requests.Timeout:
        raise errors.XeroRetryLater(_lt("Xero did not answer in time."), call=call) from None
    except requests.RequestException:
        raise errors.XeroRetryLater(_lt("The connection to Xero failed."), call=call) from None


@contextmanager
def unmetered():
    """A meter that lets everything pass. A meter is entered before a call; it raises :class:`XeroRetryLater` where the
    call would be too many, and gives a callable that takes the answer's headers."""
    yield lambda _headers: None


class XeroClient:
    """One organisation's books. Use as context manager: it closes the session.

    :param token: see :class:`Transport`
    :param str tenant_id: the organisation; '' for a custom connection, whose token knows it
    :param str api_url: up to and with ``/api.xro/2.0``
    :param meter: see :func:`unmetered`
    :param str lang: the language of whoever reads what goes wrong
    """

    def __init__(self, token, tenant_id, api_url, meter=unmetered, lang=""):
        self.lang = lang
        self.session = requests.Session()
        self.transport = Transport(token, self.session, meter)
        self.tenant_id = tenant_id or ""
        self.accounting = AccountingApi(self.transport)
        self.accounting.base_url = api_url
        self.identity = IdentityApi(self.transport, base_url=api_url.removesuffix(const.API_PATH))

    def __enter__(self):
        return self

    def __exit__(self, _kind, error, _traceback):
        if isinstance(error, errors.XeroError):
            error.lang = self.lang
        self.session.close()

    def invoices_page(self, *, since=None, start_date=None, page=1, page_size=const.PAGE_SIZE):
        """A page of approved, paid and voided sales invoices with their lines, oldest change first.

        :param datetime since: naive UTC, only what changed at or after it
        :param date start_date: only documents dated on or after it
        :return: ``(invoices, page_count)``, invoices as Xero's dicts
        """
        where = 'Type=="ACCREC"'
        if start_date:
            where += f" AND Date>={_where_date(start_date)}"
        answer = self.accounting.get_invoices(
            self.tenant_id,
            where=where,
            order="UpdatedDateUTC ASC",
            statuses=list(const.IMPORT_STATUSES),
            page=page,
            page_size=page_size,
            unitdp=4,
            **_changed_since(since),
        )
        invoices = elements(answer, "Invoices")
        pagination = answer.get("pagination") or {}
        return invoices, int(pagination.get("pageCount") or 1)

    def recent_invoices(self, start_date, number):
        """The newest approved or paid sales invoices with their lines, newest first.

        :param date start_date: only documents dated on or after it
        :param int number: at most so many, up to ``const.PAGE_SIZE``
        """
        answer = self.accounting.get_invoices(
            self.tenant_id,
            where=f'Type=="ACCREC" AND Date>={_where_date(start_date)}',
            order="UpdatedDateUTC DESC",
            statuses=["AUTHORISED", "PAID"],
            page=1,
            page_size=number,
            unitdp=4,
        )
        return elements(answer, "Invoices")

    def invoices(self, *, ids=None, numbers=None):
        """These invoices and bills with their lines, in any status.

        :param list ids, numbers: one of them, at most 100
        """
        chosen = {"i_ds": ids} if ids else {"invoice_numbers": numbers}
        return elements(self.accounting.get_invoices(self.tenant_id, page=1, unitdp=4, **chosen), "Invoices")

    def contacts(self, contact_ids):
        """Contacts with their addresses, archived ones too.

        :param list contact_ids: at most ``const.CONTACTS_PER_CALL``
        """
        answer = self.accounting.get_contacts(
            self.tenant_id, i_ds=list(contact_ids), include_archived=True, page=1, page_size=const.CONTACTS_PER_CALL
        )
        return [contact for contact in elements(answer, "Contacts") if contact.get("ContactID")]

    def contacts_page(self, since=None, page=1):
        """A page of all contacts with their addresses, archived and merged ones too, oldest change first.

        :param datetime since: naive UTC, only what changed at or after it; a merge changes nothing
        :return: ``(contacts, page_count)``, contacts as Xero's dicts
        """
        answer = self.accounting.get_contacts(
            self.tenant_id,
            order="UpdatedDateUTC ASC",
            include_archived=True,
            page=page,
            page_size=const.PAGE_SIZE,
            **_changed_since(since),
        )
        contacts = [contact for contact in elements(answer, "Contacts") if contact.get("ContactID")]
        return contacts, int((answer.get("pagination") or {}).get("pageCount") or 1)

    def contact_by_number(self, number):
        """The contact with this ``ContactNumber``, an archived one too; None where there is none."""
        try:
            found = elements(self.accounting.get_contact_by_contact_number(self.tenant_id, number), "Contacts")
        except errors.XeroMissing:
            return None
        # Xero takes an id in the same place.
        return next((one for one in found if one.get("ContactID") and one.get("ContactNumber") == number), None)

    def create_contact(self, contact, key):
        """Make one contact; nothing is ever overwritten.

        :param dict contact: the element
        :param str key: the ``Idempotency-Key``
        :return: Xero's element
        :raise XeroRejected: with Xero's messages, e.g. where the name is another contact's
        """
        answer = self.accounting.create_contacts(
            self.tenant_id, {"Contacts": [contact]}, summarize_errors=True, idempotency_key=key
        )
        for made in elements(answer, "Contacts"):
            if made.get("ContactID"):
                return made
        raise errors.XeroRetryLater(_lt("Xero's answer does not name the contact that was sent."))

    def invoice_pdf(self, invoice_id):
        """The invoice as PDF bytes.

        :raise XeroRetryLater: when what came is no whole PDF
        """
        return _whole_pdf(self.accounting.get_invoice_as_pdf(self.tenant_id, invoice_id))

    def credit_note_pdf(self, note_id):
        """The credit note as PDF bytes; see :meth:`invoice_pdf`."""
        return _whole_pdf(self.accounting.get_credit_note_as_pdf(self.tenant_id, note_id))

    def invoice_history(self, invoice_id):
        """The invoice's history records, newest first as Xero sends them."""
        return elements(self.accounting.get_invoice_history(self.tenant_id, invoice_id), "HistoryRecords")

    def add_invoice_note(self, invoice_id, text, key):
        """Write a note into the invoice's history, where it stays for ever.

        :param str text: at most ``const.NOTE_LENGTH`` characters
        :param str key: the ``Idempotency-Key``
        """
        answer = self.accounting.create_invoice_history(
            self.tenant_id, invoice_id, {"HistoryRecords": [{"Details": text}]}, idempotency_key=key
        )
        _saved(answer, "HistoryRecords")

    def invoice_attachments(self, invoice_id):
        """What is attached to the invoice: list of ``{AttachmentID, FileName, MimeType, ContentLength}``."""
        return elements(self.accounting.get_invoice_attachments(self.tenant_id, invoice_id), "Attachments")

    def invoice_attachment(self, invoice_id, entry):
        """The bytes of one attached file.

        :param dict entry: of :meth:`invoice_attachments`
        :raise XeroRetryLater: when what came is not as long as Xero says the file is
        """
        content = self.accounting.get_invoice_attachment_by_id(
            self.tenant_id, invoice_id, entry["AttachmentID"], entry.get("MimeType") or "application/octet-stream"
        )
        if entry.get("ContentLength") not in (None, len(content)):
            raise errors.XeroRetryLater(_lt("Xero's answer was not the whole file."))
        return content

    def items(self, since=None):
        """The items, one by one from a file: Xero's list of them has no pages (xero-api.md, section 5).

        :param datetime since: naive UTC, only what changed at or after it
        :return: iterator of Xero's dicts; the call is made before it is returned
        :raise XeroRetryLater: while iterating, where the answer ends before its time
        """
        body = self.accounting.get_items(
            self.tenant_id, unitdp=4, _preload_content=False, **_changed_since(since)
        )
        return elements_of_file(body, "Items")

    def item_by_code(self, code):
        """The item with this code, None where there is none."""
        where = f'Code=="{_quoted(code)}"'
        found = elements(self.accounting.get_items(self.tenant_id, where=where, unitdp=4), "Items")
        return found[0] if found else None

    def create_items(self, items, key):
        """Make items. An item whose code is taken is refused; nothing is ever overwritten.

        :param list items: elements, at most ``const.ITEMS_PER_CALL``
        :param str key: the ``Idempotency-Key``
        :return: Xero's elements in the same order; a refused one has ``ValidationErrors``
        """
        answer = self.accounting.create_items(
            self.tenant_id, {"Items": items}, summarize_errors=False, unitdp=4, idempotency_key=key
        )
        return elements(answer, "Items")

    def update_items(self, items):
        """Change items by their ``ItemID``; see :meth:`create_items`. Without a key: the same change may come again
        within its six minutes (xero-api.md, section 4.4)."""
        answer = self.accounting.update_or_create_items(
            self.tenant_id, {"Items": items}, summarize_errors=False, unitdp=4
        )
        return elements(answer, "Items")

    def accounts(self):
        """The chart of accounts, archived ones too: list of ``{Code, Name, Type, Class, Status, TaxType, ...}``."""
        return [account for account in elements(self.accounting.get_accounts(self.tenant_id), "Accounts")
                if account.get("Code")]

    def tax_rates(self):
        """Tax rates: list of ``{Name, TaxType, EffectiveRate, Status, CanApplyToRevenue, CanApplyToExpenses, ...}``."""
        return [rate for rate in elements(self.accounting.get_tax_rates(self.tenant_id), "TaxRates")
                if rate.get("TaxType")]

    # --- documents that are sent ---

    def invoice(self, invoice_id):
        """One invoice with its lines and payments.

        :raise XeroMissing: where there is none
        """
        return _first(self.accounting.get_invoice(self.tenant_id, invoice_id, unitdp=4), "Invoices")

    def credit_note(self, note_id):
        """One credit note with its lines and allocations."""
        return _first(self.accounting.get_credit_note(self.tenant_id, note_id, unitdp=4), "CreditNotes")

    def documents_by_reference(self, resource, reference):
        """Sales invoices or credit notes with this very reference, in any status, with their lines.

        :param str resource: ``invoice`` or ``credit_note``
        """
        where = f'Reference=="{_quoted(reference)}"'
        if resource == "credit_note":
            answer = self.accounting.get_credit_notes(self.tenant_id, where=where, page=1, unitdp=4)
            return [note for note in elements(answer, "CreditNotes") if note.get("Type") == "ACCRECCREDIT"]
        answer = self.accounting.get_invoices(self.tenant_id, where=f'Type=="ACCREC" AND {where}', page=1, unitdp=4)
        return elements(answer, "Invoices")

    def draft_invoices(self, contact_id):
        """The contact's sales invoices that are drafts, with their lines, the one changed last first."""
        answer = self.accounting.get_invoices(
            self.tenant_id,
            where=f'Type=="ACCREC" AND Status=="DRAFT" AND Contact.ContactID==guid("{contact_id}")',
            order="UpdatedDateUTC DESC",
            page=1,
            unitdp=4,
        )
        return elements(answer, "Invoices")

    def create_invoice(self, invoice, key):
        """Make one invoice; one whose number is taken is refused, never changed (xero-api.md, section 4.1).

        :param dict invoice: the element
        :param str key: the ``Idempotency-Key``
        :return: Xero's element
        :raise XeroRejected: with all of Xero's messages
        """
        answer = self.accounting.create_invoices(
            self.tenant_id, {"Invoices": [invoice]}, summarize_errors=False, unitdp=4, idempotency_key=key
        )
        return _identified(_saved(answer, "Invoices"))

    def update_invoice(self, invoice_id, changes, key):
        """Change one invoice by its id; see :meth:`create_invoice`."""
        answer = self.accounting.update_invoice(
            self.tenant_id,
            invoice_id,
            {"Invoices": [{"InvoiceID": invoice_id, **changes}]},
            unitdp=4,
            idempotency_key=key,
        )
        return _identified(_saved(answer, "Invoices"))

    def create_credit_note(self, note, key):
        """Make one credit note; see :meth:`create_invoice`."""
        answer = self.accounting.create_credit_notes(
            self.tenant_id, {"CreditNotes": [note]}, summarize_errors=False, unitdp=4, idempotency_key=key
        )
        return _identified(_saved(answer, "CreditNotes"))

    def allocate(self, note_id, invoice_id, amount, day, key):
        """Allocate a part of an approved credit note to an approved invoice; see :meth:`create_invoice`."""
        allocation = {"Amount": amount, "Date": day.isoformat(), "Invoice": {"InvoiceID": invoice_id}}
        answer = self.accounting.create_credit_note_allocation(
            self.tenant_id,
            note_id,
            {"Allocations": [allocation]},
            summarize_errors=False,
            idempotency_key=key,
        )
        _saved(answer, "Allocations")

    def changed_documents(self, resource, since, page):
        """A page of sales documents that changed, in any status, with payments or allocations, oldest change first.

        :param str resource: ``invoice`` or ``credit_note``
        :return: ``(elements, page_count)``
        """
        options = {"order": "UpdatedDateUTC ASC", "page": page, "page_size": const.PAGE_SIZE, "unitdp": 4}
        options |= _changed_since(since)
        if resource == "credit_note":
            answer = self.accounting.get_credit_notes(self.tenant_id, where='Type=="ACCRECCREDIT"', **options)
            found = elements(answer, "CreditNotes")
        else:
            answer = self.accounting.get_invoices(self.tenant_id, where='Type=="ACCREC"', **options)
            found = elements(answer, "Invoices")
        return found, int((answer.get("pagination") or {}).get("pageCount") or 1)

    def dated_documents(self, resource, date_from, date_to, page):
        """A page of sales documents dated in a period, in any status; without lines where Xero can leave them out.

        :param str resource: ``invoice`` or ``credit_note``
        :return: ``(elements, page_count)``
        """
        where = f"Date>={_where_date(date_from)} AND Date<={_where_date(date_to)}"
        options = {"page": page, "page_size": const.PAGE_SIZE, "unitdp": 4}
        # By id: what changes meanwhile stays on its page.
        if resource == "credit_note":
            answer = self.accounting.get_credit_notes(
                self.tenant_id, where=f'Type=="ACCRECCREDIT" AND {where}', order="CreditNoteID ASC", **options
            )
            found = elements(answer, "CreditNotes")
        else:
            answer = self.accounting.get_invoices(
                self.tenant_id, where=f'Type=="ACCREC" AND {where}', order="InvoiceID ASC", summary_only=True, **options
            )
            found = elements(answer, "Invoices")
        return found, int((answer.get("pagination") or {}).get("pageCount") or 1)

    def documents(self, resource, ids):
        """These sales documents with payments or allocations, in any status.

        :param list ids: at most 100
        """
        if resource == "credit_note":
            # Their list knows no ids; OR is fast for an id alone (xero-api.md, section 3.2).
            where = " OR ".join(f'CreditNoteID==guid("{note_id}")' for note_id in ids)
            answer = self.accounting.get_credit_notes(self.tenant_id, where=where, page=1, unitdp=4)
            return elements(answer, "CreditNotes")
        return self.invoices(ids=ids)

    def currencies(self):
        """The codes of the currencies the organisation uses."""
        found = elements(self.accounting.get_currencies(self.tenant_id), "Currencies")
        return [currency["Code"] for currency in found if currency.get("Code")]

    def organisation(self):
        """The organisation's own record."""
        for organisation in elements(self.accounting.get_organisations(self.tenant_id), "Organisations"):
            return organisation
        raise errors.XeroRetryLater(_lt("Xero's answer names no organisation."))

    def connections(self, auth_event_id=None):
        """What this consent reaches: list of ``{id, tenantId, tenantName, tenantType, ...}``."""
        options = {"auth_event_id": auth_event_id} if auth_event_id else {}
        found = elements({"connections": self.identity.get_connections(**options)}, "connections")
        return [connection for connection in found if connection.get("tenantId")]

    def delete_connection(self, connection_id):
        """Disconnect one organisation and leave the user's others alone (xero-api.md, section 1.4)."""
        self.identity.delete_connection(connection_id)


def _changed_since(moment):
    return {"if_modified_since": moment.strftime("%Y-%m-%dT%H:%M:%S")} if moment else {}


def _whole_pdf(content):
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-1024:]:
        raise errors.XeroRetryLater(_lt("Xero's answer was no complete PDF."))
    return content


def _quoted(text):
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _first(answer, name):
    for element in elements(answer, name):
        return element
    raise errors.XeroRetryLater(_lt("Xero's answer does not hold what was asked for."))


def _saved(answer, name):
    """The one element that was sent, as Xero saved it.

    :raise XeroRejected: where Xero answered 200 and refused it all the same (xero-api.md, section 4.3)
    """
    element = _first(answer, name)
    if messages := refusals(element):
        raise errors.XeroRejected(messages)
    return element


def _identified(element):
    """A document that was saved, if it says which one it is.

    :raise XeroRetryLater: where it does not
    """
    if not (element.get("InvoiceID") or element.get("CreditNoteID")):
        raise errors.XeroRetryLater(_lt("Xero's answer does not say which document it is."))
    return element


def refusals(element):
    """Xero's messages on an element it refused, those on its lines and contact too; [] for one that was saved."""
    said = [entry.get("Message") for entry in element.get("ValidationErrors") or () if isinstance(entry, dict)]
    nested = [element.get("Contact") or {}, *(element.get("LineItems") or ())]
    for inner in nested:
        said += [entry.get("Message") for entry in inner.get("ValidationErrors") or () if isinstance(entry, dict)]
    refused = element.get("HasErrors") or element.get("StatusAttributeString") == "ERROR" or said
    return list(dict.fromkeys(filter(None, said))) or ([errors.NO_REASON] if refused else [])


def _where_date(day):
    return f"DateTime({day.year},{day.month:02},{day.day:02})"
