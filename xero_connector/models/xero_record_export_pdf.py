from odoo import models

from ..lib import formats

_APPROVED = ("AUTHORISED", "PAID")


class XeroRecord(models.Model):
    """Xero's PDF of a document that was sent from here, once it is approved there; fetched with the other files."""

    _inherit = "xero.record"

    def _queue_export_pdf(self, connection):
        """Have the PDF of these sent documents fetched, if the connection wants it."""
        wanted = self.filtered(
            lambda row: row.xero_status in _APPROVED and not row.pdf_of and not row.files_state and not row.is_reduction
        )
        if connection.export_pdf and wanted:
            wanted.write({"files_state": "waiting", "files_attempts": 0, "files_next_attempt": False})
            connection._schedule("files")

    def _finish(self, connection, document):
        result = super()._finish(connection, document)
        self._queue_export_pdf(connection)
        return result

    def _tell_status(self):
        result = super()._tell_status()
        for row in self:
            row._queue_export_pdf(row.connection_id)
        return result

    def _lacks_pdf(self):
        if self.direction == "out":
            return self.connection_id.export_pdf and not self.pdf_of
        return super()._lacks_pdf()

    def _fetch_files(self):
        if self.direction == "in":
            return super()._fetch_files()
        document = self._document()
        if document:
            with self.connection_id._client("files") as client:
                read = client.credit_note_pdf if self.resource == "credit_note" else client.invoice_pdf
                content = read(self.external_id)
            self.env["ir.attachment"].create(
                {
                    "name": formats.file_name(self.xero_number or self.number, "pdf"),
                    "raw": content,
                    "mimetype": "application/pdf",
                    "res_model": document._name,
                    "res_id": document.id,
                }
            )
            self.write({"pdf_of": self.remote_updated, "pdf_size": len(content)})
        self.write({"files_state": "done", "files_message": False, "files_next_attempt": False})
        return None
