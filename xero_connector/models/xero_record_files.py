import logging
from datetime import timedelta

import psycopg2

from odoo import api, fields, models

from .. import const
from ..lib import errors, formats

_logger = logging.getLogger(__name__)


class XeroRecord(models.Model):
    """The second step after an import: the invoice's PDF, attached files and newest note. One call each, so they have a
    queue of their own and never hold up an order."""

    _inherit = "xero.record"

    files_state = fields.Selection(
        [("waiting", "Waiting"), ("done", "Fetched"), ("failed", "Failed")], string="PDF and note", readonly=True
    )
    files_message = fields.Char(readonly=True)
    last_note = fields.Text(readonly=True, help="The newest note of a person, as it stands in the instructions.")
    files_attempts = fields.Integer(readonly=True, aggregator=False)
    files_next_attempt = fields.Datetime(readonly=True)
    pdf_size = fields.Integer(string="PDF bytes", readonly=True, aggregator=False)
    pdf_of = fields.Char(readonly=True, help="The version of the invoice (changed in Xero) the PDF shows.")

    files_of = fields.Char(readonly=True, help="The version of the invoice whose attached files are here.")

    _files_waiting = models.Index("(id) WHERE files_state = 'waiting'")

    def _queue_files(self, connection):
        """Have the files of these imported rows fetched, if the connection wants any."""
        if connection.attach_pdf or connection.attach_files or connection.note_target != "none":
            self.write({"files_state": "waiting", "files_attempts": 0, "files_next_attempt": False})
            connection._schedule("files")

    def _lacks_files(self):
        """Whether an imported row's files failed, or were not wanted yet when it was imported."""
        self.ensure_one()
        overdue = self._lacks_pdf() and self.files_state != "waiting"
        return self.state == "done" and (self.files_state == "failed" or overdue)

    def _lacks_pdf(self):
        return self.connection_id.attach_pdf and self.pdf_of != self.remote_updated

    @api.model
    def _files_due_domain(self):
        return [
            ("files_state", "=", "waiting"),
            "|",
            ("connection_id.files_blocked_until", "=", False),
            ("connection_id.files_blocked_until", "<=", fields.Datetime.now()),
            *self._ready_domain("files_next_attempt"),
        ]

    @api.model
    def _cron_files(self, connections=None):
        """Fetch what is due, each committed by itself: a call made once need not be made again. The newest documents
        first: somebody picks them today, those of an import from a date can wait.

        :param connections: of these alone, instead of all
        """
        due = self._of_connections(self._files_due_domain(), connections)
        row_ids = self.search(due, order="document_date desc, id").ids
        self.env["ir.cron"]._commit_progress(remaining=len(row_ids))
        for row_id in row_ids:
            row = self.browse(row_id)
            try:
                row._fetch_files_safely()
                seconds_left = self.env["ir.cron"]._commit_progress(1)
            except psycopg2.OperationalError:
                # Somebody edits the order, or a poll writes the connection.
                self.env.cr.rollback()
                row.exists().connection_id._give_way("files")
                seconds_left = self.env["ir.cron"]._commit_progress()
            if not seconds_left:
                self._ring_again("files", due)
                break

    def _fetch_files_safely(self):
        """Fetch the files of one row; what goes wrong ends in the row or on its connection."""
        try:
            if not self.try_lock_for_update(allow_referencing=True).filtered_domain(self._files_due_domain()):
                return
            self._fetch_files()
        except errors.XeroDenied as error:
            self.connection_id._note_error(error)
        except errors.XeroRetryLater as error:
            self._postpone_files(error)
        except errors.XeroError as error:
            self.write({"files_state": "failed", "files_message": error.for_person()})
        except psycopg2.OperationalError:
            raise
        except Exception:
            # A bug of ours must neither hold up the other rows' files nor hide.
            self.env.cr.rollback()
            _logger.exception("sync log row %s: fetching files failed", self.id)
            message = self.env._("Something unexpected happened. The server's log has the details.")
            self.write({"files_state": "failed", "files_message": message})

    def _fetch_files(self):
        connection = self.connection_id
        document = self._document()
        if document:
            with connection._client("files") as client:
                self._fetch_pdf(client, document)
                # Without the scope, the connection's form asks to reconnect; the PDF need not wait for that.
                if connection.attach_files and not connection.missing_scopes:
                    self._fetch_attachments(client, document)
            if connection.note_target != "none":
                with connection._client("history") as client:
                    self._fetch_note(client, document)
        self.write({"files_state": "done", "files_message": False, "files_next_attempt": False})

    def _fetch_pdf(self, client, document):
        if self._lacks_pdf():
            content = client.invoice_pdf(self.external_id)
            document._xero_attach_pdf(formats.file_name(self.number, "pdf"), content)
            self.write({"pdf_of": self.remote_updated, "pdf_size": len(content)})

    def _fetch_note(self, client, document):
        note = self._newest_note(client.invoice_history(self.external_id))
        if note and note != self.last_note:
            document._xero_replace_instructions(self.connection_id, self.last_note or "", note)
            self.last_note = note

    def _fetch_attachments(self, client, document):
        """The files attached to the invoice in Xero; the same name and size is the same file."""
        # sudo: the payload is for managers; whether there are files is not
        if self.files_of == self.remote_updated or not (self.sudo().payload or {}).get("HasAttachments"):
            return
        for entry in client.invoice_attachments(self.external_id):
            stem, _dot, extension = formats.text(entry.get("FileName")).rpartition(".")
            name = formats.file_name(stem or extension, formats.file_extension(extension if stem else ""))
            if document._xero_lacks_file(name, entry.get("ContentLength")):
                content = client.invoice_attachment(self.external_id, entry)
                document._xero_attach_file(name, content)
        self.files_of = self.remote_updated

    @api.model
    def _newest_note(self, history):
        """The newest history record a person wrote as a note, '' when nobody did.

        Xero mixes notes with its own entries (approved, sent …); those written through the API have its own author.
        """
        notes = [
            record
            for record in history
            if formats.text(record.get("Changes")).casefold() == const.NOTE_CHANGES.casefold()
            and formats.text(record.get("User")) != const.API_AUTHOR
        ]
        newest = max(notes, key=lambda record: formats.stamp(record.get("DateUTC")), default={})
        return formats.text(newest.get("Details"))

    def _postpone_files(self, error):
        """Later: when Xero's limit ends, for all of the connection's files at once, or after a growing time.

        What the reserve keeps for orders holds up files only; a limit of Xero's holds up everything.
        """
        if not error.limit and self.files_attempts + 1 >= const.FILES_ATTEMPTS:
            # Somebody may look and press Retry; asking for ever costs calls.
            self.write({"files_state": "failed", "files_message": error.for_person()})
            return
        wait = 0 if error.limit else min(60 * 2 ** min(self.files_attempts, 12), const.LONGEST_RETRY)
        until = fields.Datetime.now() + timedelta(seconds=min(max(wait, error.retry_after or 0), const.LONGEST_LIMIT))
        self.write(
            {
                # A limit is nobody's fault: it does not count.
                "files_attempts": self.files_attempts + (not error.limit),
                "files_next_attempt": until,
                "files_message": error.for_person(),
            }
        )
        if error.limit == "reserve":
            # A note gives way earlier than a PDF, so it holds up nobody else.
            if self._lacks_pdf():
                self.connection_id.files_blocked_until = until
        elif error.limit:
            self.connection_id._postpone(error)
        self.connection_id._schedule("files", at=until)
