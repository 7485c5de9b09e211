"""The tables of accounts and taxes: what Odoo's are in Xero, for documents that go there."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from odoo.addons.xero_connector.models.export_terms import ExportTerms

from .items_case import ItemsCase


class TablesCase(ItemsCase):
    def setUp(self):
        super().setUp()
        # Charts and taxes that came with the company would be suggested, too.
        self.env["account.tax"].search([("type_tax_use", "in", ("sale", "purchase"))]).active = False
        self.connection = self.connect()

    def read_tables(self):
        return self.press(self.connection.action_read_tables)

    def change_account(self, code, **fields):
        self.org.update("Accounts", self.org.tables["Accounts"].by_number(code).data["AccountID"], **fields)

    def account(self, code, name=None, kind="income"):
        values = {"name": name or f"Account {code}", "code": code, "account_type": kind}
        return self.env["account.account"].create(values)

    def tax(self, name, rate=15, use="sale", **values):
        return self.env["account.tax"].create({"name": name, "amount": rate, "type_tax_use": use} | values)

    def account_line(self, code):
        return self.connection.account_mapping_ids.filtered(lambda line: line.code == code)

    def tax_line(self, tax_type):
        return self.connection.tax_mapping_ids.filtered(lambda line: line.tax_type == tax_type)

    def account_match(self, account):
        domain = [("connection_id", "=", self.connection.id), ("account_id", "=", account.id)]
        return self.env["xero.account.match"].search(domain)

    def tax_match(self, tax):
        domain = [("connection_id", "=", self.connection.id), ("tax_id", "=", tax.id)]
        return self.env["xero.tax.match"].search(domain)


@tagged("post_install", "-at_install")
class TestReading(TablesCase):
    def test_accounts_and_taxes_are_read_at_the_press_of_a_button(self):
        self.org.add_account(Code="611", Name="Debtors", Type="CURRENT", Class="ASSET", SystemAccount="DEBTORS")
        income = self.account("200")
        self.read_tables()
        debtors = self.account_line("611")
        self.assertEqual((debtors.account_type, debtors.system_account), ("CURRENT", "DEBTORS"))
        self.assertEqual(self.account_line("200").account_id, income)
        self.assertFalse(self.account_line("299").is_active)
        output, expenses, free = (self.tax_line(name) for name in ("OUTPUT2", "INPUT2", "NONE"))
        self.assertEqual((output.for_revenue, output.for_expenses), (True, False))
        self.assertEqual((expenses.for_revenue, expenses.for_expenses), (False, True))
        self.assertEqual((free.for_revenue, free.for_expenses, free.rate), (True, True, 0))

    def test_a_tax_type_suits_everything_where_xero_does_not_say(self):
        self.org.update("TaxRates", "INPUT2", CanApplyToRevenue=None, CanApplyToExpenses=None)
        self.read_tables()
        self.assertTrue(self.tax_line("INPUT2").for_revenue and self.tax_line("INPUT2").for_expenses)

    def test_what_changed_in_xero_is_taken_over_and_what_a_person_chose_stays(self):
        self.read_tables()
        other = self.account("987654")
        self.account_line("260").account_ids = other
        self.tax_line("ZERORATED").tax_ids = free = self.tax("Free", 0)
        self.change_account("260", Name="Sundry", Status="ARCHIVED")
        self.read_tables()
        line = self.account_line("260")
        self.assertEqual((line.name, line.is_active, line.account_ids), ("Sundry", False, other))
        self.assertEqual(self.tax_line("ZERORATED").tax_ids, free)

    def test_what_was_deleted_in_xero_is_not_in_use_any_more(self):
        self.read_tables()
        table = self.org.tables["Accounts"]
        table.remove(table.by_number("260"))
        self.read_tables()
        self.assertFalse(self.account_line("260").is_active)
        self.assertTrue(self.account_line("200").is_active)
        self.fake.faults.add("GET", "/Accounts$", kind="replace_json", body='{"Accounts": []}')
        self.read_tables()
        self.assertTrue(self.account_line("200").is_active, "an empty list is no list")

    def test_lines_without_tax_are_xeros_none_until_somebody_chooses(self):
        self.assertFalse(self.connection.export_untaxed_id)
        self.read_tables()
        self.assertEqual(self.connection.export_untaxed_id, self.tax_line("NONE"))
        self.connection.export_untaxed_id = self.tax_line("ZERORATED")
        self.read_tables()
        self.assertEqual(self.connection.export_untaxed_id, self.tax_line("ZERORATED"))
        self.connection.export_untaxed_id = False
        self.read_tables()
        self.assertFalse(self.connection.export_untaxed_id)

    def test_an_outage_of_xero_is_told_and_changes_nothing(self):
        self.read_tables()
        lines = self.connection.account_mapping_ids
        self.fake.faults.add("GET", "/TaxRates", kind="status", status=503)
        with self.assertRaisesRegex(UserError, "maintained"):
            self.read_tables()
        self.assertEqual(self.connection.account_mapping_ids, lines)
        self.assertEqual(self.connection.state, "connected")

    def test_a_consent_that_ended_is_told_on_the_connection(self):
        self.fake.faults.add("GET", "/Accounts", kind="status", status=403)
        answer = self.read_tables()
        self.assertEqual(answer["params"]["type"], "danger")
        self.assertEqual(self.connection.state, "error")

    def test_another_organisation_brings_tables_of_its_own(self):
        self.read_tables()
        self.connection.export_account_id = self.account_line("200")
        other = self.fake.add_organisation("Other", country="AU", currency=self.company.currency_id.name)
        self.press(self.connection.action_disconnect)
        self.consent(self.connection, other)
        self.assertFalse(self.connection.export_account_id or self.connection.export_untaxed_id)
        self.read_tables()
        self.assertTrue(self.tax_line("EXEMPTOUTPUT"))
        self.assertEqual(self.connection.export_untaxed_id, self.tax_line("NONE"))


@tagged("post_install", "-at_install")
class TestPairing(TablesCase):
    def test_an_account_of_odoo_stands_for_one_of_xeros(self):
        self.read_tables()
        account = self.account("987654", "Web sales")
        self.account_line("200").account_ids = account
        for values in ({"account_ids": account}, {"account_id": account}):
            with self.assertRaisesRegex(ValidationError, "Web sales.*200 Sales.*260 Other Revenue"):
                self.account_line("260").write(values)
        self.account_line("200").account_ids = False
        self.account_line("260").account_id = account
        with self.assertRaisesRegex(ValidationError, "260 Other Revenue.*200 Sales|200 Sales.*260 Other Revenue"):
            self.account_line("200").account_ids = account

    def test_a_tax_of_odoo_stands_for_one_of_xeros(self):
        self.read_tables()
        tax = self.tax("Included", price_include_override="tax_included")
        self.tax_line("OUTPUT2").tax_ids = tax
        with self.assertRaisesRegex(ValidationError, "Included.*OUTPUT2.*ZERORATED"):
            self.tax_line("ZERORATED").tax_ids = tax

    def test_two_accounts_of_xeros_may_still_be_one_of_odoos_for_items(self):
        self.read_tables()
        account = self.account("987654")
        self.account_line("200").account_id = self.account_line("260").account_id = account
        self.assertEqual(ExportTerms(self.connection).account(account), self.account_line("200"))

    def test_items_do_not_follow_what_only_invoices_are_sent_as(self):
        item = self.item("LAMP", price=5, SalesDetails={"AccountCode": "200", "TaxType": "OUTPUT2"})
        lamp = self.product("LAMP", "LAMP", 5)
        self.connection.write({"item_sync": "both", "item_interval": "manual"})
        self.consent(self.connection, self.org)
        self.exchange(self.connection)
        account, tax = self.account("987654"), self.tax("Included")
        self.account_line("260").account_ids = account
        self.tax_line("ZERORATED").tax_ids = tax
        lamp.property_account_income_id = account
        lamp.taxes_id = tax
        self.exchange(self.connection)
        details = self.stored(item)["SalesDetails"]
        self.assertEqual((details["AccountCode"], details["TaxType"]), ("200", "OUTPUT2"))
        self.assertEqual(lamp.property_account_income_id, account)

    def test_a_new_account_of_xeros_takes_none_that_a_person_put_elsewhere(self):
        account = self.account("265")
        self.read_tables()
        self.account_line("200").account_ids = account
        self.org.add_account(Code="265", Name="Web sales")
        self.read_tables()
        self.assertFalse(self.account_line("265").account_id)
        self.assertEqual(self.account_line("200").account_ids, account)

    def test_no_manager_writes_what_xero_says(self):
        self.read_tables()
        manager = new_test_user(self.env, "tables-manager", groups="xero_connector.group_xero_manager")
        account, tax = self.account_line("200").with_user(manager), self.tax_line("OUTPUT2").with_user(manager)
        for line, values in (
            (account, {"account_type": "BANK"}),
            (account, {"system_account": "DEBTORS"}),
            (tax, {"for_revenue": False}),
            (tax, {"for_expenses": True}),
        ):
            with self.assertRaises(AccessError, msg=values):
                line.write(values)
        account.account_ids = self.account("987654")
        self.connection.with_user(manager).export_account_id = account

    def test_another_connections_line_is_no_fallback(self):
        self.read_tables()
        other = self.connect(self.fake.add_organisation("Other", currency=self.company.currency_id.name))
        for name, line in (
            ("export_account_id", self.account_line("200")),
            ("export_untaxed_id", self.tax_line("NONE")),
        ):
            with self.assertRaises(ValidationError, msg=name):
                other[name] = line


@tagged("post_install", "-at_install")
class TestSuggestions(TablesCase):
    def test_a_line_without_account_is_told_the_one_of_its_code_else_of_its_name(self):
        self.read_tables()
        coded, named = self.account("2.00", "Revenue"), self.account("987654", "Revenue, other")
        self.account("987655", "Other Revenue", kind="expense")
        sales, other = self.account_line("200"), self.account_line("260")
        self.assertEqual((sales.suggestion_id, sales.suggestion_score), (coded, 100))
        self.assertEqual(other.suggestion_id, named)
        self.assertFalse(self.account_line("299").suggestion_id, "archived in Xero")
        other.action_accept()
        self.assertEqual(other.account_id, named)
        self.assertFalse(other.suggestion_id)

    def test_a_line_without_tax_is_told_the_one_of_its_rate_and_use_with_the_most_alike_name(self):
        zero, none = self.tax("Zero rated supplies", 0), self.tax("No tax", 0)
        bought, sold = self.tax("GST 15%", use="purchase"), self.tax("GST 15% sales")
        self.tax("GST 12%", 12)
        self.tax("15% on Income", amount_type="fixed")
        self.tax("15% GST on Income incl.")
        self.read_tables()
        self.assertFalse(self.tax_line("OUTPUT2").tax_id, "two fit")
        self.assertEqual(self.tax_line("INPUT2").tax_id, bought)
        self.assertEqual(self.tax_line("OUTPUT2").suggestion_id.name, "15% GST on Income incl.")
        self.assertEqual(self.tax_line("ZERORATED").suggestion_id, zero)
        self.assertEqual(self.tax_line("NONE").suggestion_id, none)
        self.tax_line("OUTPUT2").action_accept()
        self.assertTrue(self.tax_line("OUTPUT2").tax_id)
        self.assertNotIn(sold, self.connection.tax_mapping_ids.suggestion_id)

    def test_what_stands_for_another_line_is_not_suggested(self):
        self.read_tables()
        account = self.account("2.00", "Revenue")
        self.account_line("260").account_ids = account
        self.assertNotEqual(self.account_line("200").suggestion_id, account)

    def test_the_list_of_odoos_accounts_says_what_each_is_sent_as(self):
        mapped, free = self.account("200", "Ours"), self.account("987654", "Income of interest")
        expense = self.account("310", kind="expense")
        self.read_tables()
        self.assertEqual(self.account_match(mapped).line_id, self.account_line("200"))
        self.assertFalse(self.account_match(expense))
        match = self.account_match(free)
        self.assertFalse(match.line_id)
        self.assertEqual(match.suggestion_id, self.account_line("270"))
        match.action_accept()
        self.assertEqual(self.account_line("270").account_ids, free)
        self.assertEqual(self.account_match(free).line_id, self.account_line("270"))
        self.assertFalse(self.account_match(free).suggestion_id)

    def test_a_name_that_is_a_part_of_the_other_is_enough(self):
        account = self.account("987654", "Interest Income of banks")
        self.read_tables()
        self.assertEqual(self.account_match(account).suggestion_id, self.account_line("270"))
        self.assertEqual(self.account_line("270").suggestion_id, account)

    def test_the_list_of_odoos_taxes_has_those_for_sales_with_the_type_of_their_rate(self):
        excluded = self.tax("15% ex")
        self.read_tables()
        self.assertEqual(self.tax_line("OUTPUT2").tax_id, excluded)
        included, free = self.tax("15% incl", price_include_override="tax_included"), self.tax("Zero", 0)
        odd, bought = self.tax("13%", 13), self.tax("15% in", use="purchase")
        self.assertEqual(self.tax_match(excluded).line_id, self.tax_line("OUTPUT2"))
        self.assertEqual(self.tax_match(included).suggestion_id, self.tax_line("OUTPUT2"))
        self.assertEqual(self.tax_match(free).suggestion_id, self.tax_line("ZERORATED"))
        self.assertFalse(self.tax_match(odd).suggestion_id)
        self.assertFalse(self.tax_match(bought))
        with self.assertRaises(UserError):
            self.tax_match(odd).action_accept()
        (self.tax_match(included) | self.tax_match(free)).action_accept()
        self.assertEqual(self.tax_line("OUTPUT2").tax_ids, included)
        self.assertEqual(self.tax_line("ZERORATED").tax_ids, free)

    def test_what_another_line_is_chosen_for_moves_there(self):
        self.read_tables()
        account = self.account("987654")
        self.account_line("200").account_ids = account
        self.account_match(account).line_id = self.account_line("260")
        self.assertFalse(self.account_line("200").account_ids)
        self.assertEqual(self.account_line("260").account_ids, account)
        self.account_match(account).line_id = False
        self.assertFalse(self.account_line("260").account_ids)

    def test_a_line_that_was_archived_in_xero_maps_nothing_any_more(self):
        account, tax = self.account("260"), self.tax("15% ex")
        self.read_tables()
        self.change_account("260", Status="ARCHIVED")
        self.org.update("TaxRates", "OUTPUT2", Status="DELETED")
        self.read_tables()
        self.assertFalse(self.account_match(account).line_id)
        self.assertFalse(self.tax_match(tax).line_id)
        self.account_match(account).line_id = self.account_line("200")
        self.assertEqual(self.account_match(account).line_id, self.account_line("200"))

    def test_only_what_an_account_is_sent_as_can_be_changed_and_only_by_managers(self):
        account = self.account("987654")
        self.read_tables()
        user = new_test_user(self.env, "tables-user", groups="xero_connector.group_xero_user")
        manager = new_test_user(self.env, "tables-manager", groups="xero_connector.group_xero_manager")
        match = self.account_match(account)
        with self.assertRaises(AccessError):
            match.with_user(user).line_id = self.account_line("200")
        with self.assertRaises(AccessError):
            match.with_user(manager).write({"account_id": False})
        match.with_user(manager).line_id = self.account_line("200")
        self.assertEqual(match.with_user(user).read(["account_id", "line_id", "suggestion_id"])[0]["id"], match.id)
        self.assertTrue(self.account_line("200").with_user(user).read(["account_ids", "suggestion_id"]))

    def test_another_companys_tables_are_nobodys_business(self):
        account = self.account("987654")
        self.read_tables()
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        user = new_test_user(
            self.env,
            "tables-stranger",
            groups="xero_connector.group_xero_user",
            company_id=elsewhere.id,
            company_ids=[(6, 0, elsewhere.ids)],
        )
        self.assertFalse(self.env["xero.account.match"].with_user(user).search([]))
        self.assertFalse(self.env["xero.tax.match"].with_user(user).search([]))
        self.assertTrue(self.account_match(account))

    def test_another_organisations_line_is_refused(self):
        account = self.account("987654")
        self.read_tables()
        other = self.connect(self.fake.add_organisation("Other", currency=self.company.currency_id.name))
        self.press(other.action_read_tables)
        with self.assertRaises(ValidationError):
            self.account_match(account).line_id = other.account_mapping_ids[0]


@tagged("post_install", "-at_install")
class TestExportTerms(TablesCase):
    def test_an_account_is_sent_as_its_line_else_as_the_fallback(self):
        main, also, other = self.account("200"), self.account("987654"), self.account("987655")
        self.read_tables()
        self.account_line("200").account_ids = also
        terms = ExportTerms(self.connection)
        self.assertEqual(terms.account(main).code, "200")
        self.assertEqual(terms.account(also).code, "200")
        self.assertFalse(terms.account(other))
        self.connection.export_account_id = self.account_line("260")
        terms = ExportTerms(self.connection)
        self.assertEqual(terms.account(other).code, "260")
        self.assertEqual(terms.account(other.browse()).code, "260")

    def test_a_tax_is_sent_as_its_type_and_several_taxes_as_none(self):
        excluded = self.tax("15% ex")
        self.read_tables()
        included = self.tax("15% incl", price_include_override="tax_included")
        self.tax_line("OUTPUT2").tax_ids = included
        stray = self.tax("13%", 13)
        terms = ExportTerms(self.connection)
        self.assertEqual(terms.tax(excluded).tax_type, "OUTPUT2")
        self.assertEqual(terms.tax(included).tax_type, "OUTPUT2")
        self.assertEqual(terms.tax(stray.browse()).tax_type, "NONE")
        self.assertFalse(terms.tax(stray))
        self.assertFalse(terms.tax(excluded | included))

    def test_nothing_is_sent_as_what_is_archived_in_xero(self):
        account = self.account("260")
        self.read_tables()
        self.connection.export_account_id = self.account_line("200")
        for code in ("200", "260"):
            self.change_account(code, Status="ARCHIVED")
        self.org.update("TaxRates", "NONE", Status="ARCHIVED")
        self.read_tables()
        terms = ExportTerms(self.connection)
        self.assertFalse(terms.account(account))
        self.assertFalse(terms.tax(self.env["account.tax"]))

    def test_who_may_not_see_the_accounts_of_odoo_gets_the_same_answer(self):
        account = self.account("987654")
        self.read_tables()
        self.account_line("200").account_ids = account
        user = new_test_user(self.env, "terms-user", groups="xero_connector.group_xero_user")
        line = ExportTerms(self.connection.with_user(user)).account(account.with_user(user))
        self.assertEqual((line.code, line.env.user), ("200", user))
