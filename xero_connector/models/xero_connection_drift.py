from odoo import fields, models
from odoo.exceptions import UserError

from .. import const
from ..lib import errors
from .drift_comparison import DriftComparison, Theirs

# First half of the key of the lock a comparison holds; the second is the connection.
_LOCK_SPACE = 0x58A3


class XeroConnection(models.Model):
    """Comparing a period's documents with Xero's, when somebody asks for it."""

    _inherit = "xero.connection"

    def action_compare(self):
        """Ask for a period, and compare it."""
        return self._open_wizard(self.env["xero.drift.compare"], self.env._("Compare with Xero"))

    def _compare(self, date_from, date_to):
        """Read what Xero has of this period, compare it with what is here, keep the differences.

        Reading comes first, and keeping in a transaction of its own: that one sees what was sent meanwhile. Where Xero
        cannot be asked the last comparison stays as it is.

        :return: the id of the ``xero.drift``
        :raise UserError: when Xero cannot be asked, or has too much
        """
        self.ensure_one()
        self.check_access("read")
        self._say_when_neutralized()
        self._refuse_when_idle()
        began = fields.Datetime.now()
        theirs = [Theirs.of(*each) for each in self._read_period(date_from, date_to)]
        with self.env.registry.cursor() as cr:
            # sudo: who compares need not have the rights to all documents; what is kept is for the log's readers
            connection_sudo = self.with_env(self.env(cr=cr, su=True))
            return connection_sudo._keep_comparison(theirs, date_from, date_to, began)

    def _read_period(self, date_from, date_to):
        """All sales documents of Xero's dated in this period: list of ``(resource, element)``."""
        found = []
        try:
            with self._client(purpose="items") as client:
                for resource in ("invoice", "credit_note"):
                    page, page_count = 1, 1
                    while page <= page_count:
                        elements, page_count = client.dated_documents(resource, date_from, date_to, page)
                        self._refuse_too_many(page_count)
                        found += [(resource, element) for element in elements]
                        page += 1
        except errors.XeroError as error:
            raise UserError(error.for_person()) from None
        return found

    def _refuse_too_many(self, page_count):
        if page_count > const.DRIFT_PAGES:
            raise UserError(
                self.env._(
                    "Xero has about %(count)s documents of this period, and at most %(most)s are compared at once. "
                    "Choose a shorter one.",
                    count=page_count * const.PAGE_SIZE,
                    most=const.DRIFT_PAGES * const.PAGE_SIZE,
                )
            )

    def _keep_comparison(self, theirs, date_from, date_to, began):
        self.env.cr.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", (_LOCK_SPACE, self.id))
        [is_ours] = self.env.cr.fetchone()
        if not is_ours:
            raise UserError(self.env._("Somebody else is comparing %s just now: wait a moment.", self.name))
        comparison = DriftComparison(self._item_env(), theirs, date_from, date_to, self._ask_again)
        return self.env["xero.drift"]._keep(self, comparison, date_from, date_to, began).id

    def _ask_again(self, resource, ids):
        """These documents with their lines, whatever their date."""
        found = []
        try:
            for start in range(0, len(ids), const.CONTACTS_PER_CALL):
                with self._client(purpose="items") as client:
                    found += client.documents(resource, ids[start : start + const.CONTACTS_PER_CALL])
        except errors.XeroError as error:
            raise UserError(error.for_person()) from None
        return found
