class ExportTerms:
    """What the accounts and taxes of Odoo's documents are in one organisation's books: looked up once for many."""

    def __init__(self, connection):
        # sudo: which line something is sent as is no secret of the accounts'
        connection_sudo = connection.sudo()
        self._env = connection.env
        self._account_lines = self._lines_by_record(connection_sudo.account_mapping_ids)
        self._tax_lines = self._lines_by_record(connection_sudo.tax_mapping_ids)
        self._fallback = self._of_caller(connection_sudo.export_account_id.filtered("is_active"))
        self._untaxed = self._of_caller(connection_sudo.export_untaxed_id.filtered("is_active"))

    def account(self, account):
        """The account of Xero's an account of Odoo is sent as, empty where there is none in use.

        :param account: an ``account.account``, may be empty
        """
        return self._account_lines.get(account.id, self._fallback)

    def tax(self, taxes):
        """The tax type of Xero's the taxes of a line are sent as, empty where there is none in use: several taxes are
        no one type of Xero's.

        :param taxes: ``account.tax`` records, may be none
        """
        if len(taxes) > 1:
            return self._untaxed.browse()
        return self._tax_lines.get(taxes.id, self._untaxed.browse()) if taxes else self._untaxed

    def _lines_by_record(self, lines_sudo):
        """Of two lines paired with one record the first counts, as for items."""
        return {
            record.id: self._of_caller(line_sudo)
            for line_sudo in reversed(lines_sudo.filtered("is_active"))
            for record in line_sudo._records()
        }

    def _of_caller(self, line_sudo):
        return line_sudo.with_env(self._env)
