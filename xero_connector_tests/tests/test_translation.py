"""Languages: the template is the addon's as it is now, translations are whole and sound, and a German reads German."""

import ast
import io
import re

import polib

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools.translate import trans_export

from odoo.addons.xero_connector.lib import errors

from ..sandbox.words import FOLDER, TEMPLATE
from .common import XeroCase
from .portal_case import PortalCase

GERMAN = "de_DE"
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sdif%]")
TAG = re.compile(r"<[^>]+>")


def skeleton(text):
    """What a translation may not change: the placeholders (in their order where they have no names), the tags, the
    line breaks, the spaces around it."""
    found = PLACEHOLDER.findall(text)
    return {
        "placeholders": found if "%s" in found else sorted(found),
        "tags": sorted(TAG.findall(text)),
        "line breaks": text.count("\n"),
        "edges": (text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]),
    }


class SpeaksGerman:
    def _speak_german(self, user):
        """As *Add Languages* does where the addon is installed already."""
        self.env["res.lang"]._activate_lang(GERMAN)
        self.env["ir.module.module"]._load_module_terms(["xero_connector"], [GERMAN])
        user.lang = GERMAN


@tagged("post_install", "-at_install")
class TestGermanPortal(SpeaksGerman, PortalCase):
    def test_a_german_customer_connects_in_german(self):
        self._speak_german(self.kauri_user)
        self.log_in("kauri")
        self.fake.auto_tenants = [self.org.tenant_id]
        pages = [self.visit("/my/home")]
        pages.append(self.visit("/my/xero"))
        pages.append(pages[-1].follow("Neue Anbindung"))
        pages.append(pages[-1].press("Weiter", name="Laden"))
        pages.append(pages[-1].press("Mit Xero verbinden"))
        pages.append(pages[-1].follow("Weiter"))
        pages.append(pages[-1].press("Speichern und weiter", default=str(self.warehouse.id)))
        pages.append(pages[-1].press("Abschließen"))
        self.assertEqual(self.connections_of(self.kauri).state, "connected")
        german = polib.pofile(str(FOLDER / "de.po"))
        english = [entry.msgid for entry in german if entry.msgid != entry.msgstr and " " in entry.msgid]
        for page in pages:
            self.assertEqual([words for words in english if words in page.text], [], page.path)


@tagged("post_install", "-at_install")
class TestTranslation(SpeaksGerman, XeroCase):
    # === FILES === #

    def test_the_template_holds_every_term_of_the_addon_as_it_is_now(self):
        exported = io.BytesIO()
        trans_export(None, ["xero_connector"], exported, "po", self.env)
        now, then = (
            {entry.msgid: sorted(entry.occurrences) for entry in polib.pofile(source)}
            for source in (exported.getvalue().decode(), str(TEMPLATE))
        )
        remake = "`python3 -m xero_connector_tests words` remakes the template"
        self.assertEqual([term for term in now if term not in then], [], f"missing; {remake}")
        self.assertEqual([term for term in then if term not in now], [], f"gone; {remake}")
        self.assertEqual([term for term in now if now[term] != then[term]], [], f"moved; {remake}")

    def test_no_sentence_hides_from_the_template_in_an_f_string(self):
        hidden = [
            f"{path.name}:{node.lineno}"
            for path in sorted(FOLDER.parent.rglob("*.py"))
            for text in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(text, ast.JoinedStr)
            for node in ast.walk(text)
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("_", "_lt")
        ]
        self.assertEqual(hidden, [], "Odoo's export does not look into f-strings")

    def test_every_translation_is_whole_and_sound(self):
        terms = {entry.msgid for entry in polib.pofile(str(TEMPLATE))}
        paths = sorted(FOLDER.glob("*.po"))
        self.assertIn("de.po", [path.name for path in paths])
        for path in paths:
            translation = polib.pofile(str(path))
            self.assertEqual({entry.msgid for entry in translation}, terms, path.name)
            self.assertEqual([entry.msgid for entry in translation if not entry.translated()], [], path.name)
            for entry in translation:
                self.assertEqual(skeleton(entry.msgstr), skeleton(entry.msgid), f"{path.name}: {entry.msgid}")

    # === A GERMAN USER === #

    def test_a_german_reads_views_labels_menus_reports_and_messages_in_german(self):
        self._speak_german(self.env.user)
        connection = self.env["xero.connection"].with_context(lang=GERMAN).create(
            {"name": "Kiwi", "app_id": self.app.id, "warehouse_id": self.warehouse.id}
        )
        form = connection.get_view(view_type="form")["arch"]
        self.assertIn("Jetzt importieren", form)
        self.assertNotIn("Import now", form)
        state = connection.fields_get(["state"])["state"]
        self.assertEqual(dict(state["selection"])["draft"], "Nicht verbunden")
        menu = self.env.ref("xero_connector.menu_settings").with_context(lang=GERMAN)
        self.assertEqual(menu.name, "Einstellungen")
        with self.assertRaisesRegex(UserError, "Kiwi ist nicht verbunden"):
            connection.action_import_now()
        picking = self.env["stock.picking"].with_context(lang=GERMAN).create(
            {"picking_type_id": self.warehouse.out_type_id.id, "packing_instructions": "Zerbrechlich"}
        )
        reports = self.env["ir.actions.report"].with_context(lang=GERMAN)
        html = reports._render_qweb_html("stock.report_picking", picking.ids)[0].decode()
        self.assertIn("Packanweisungen", html)

    def test_what_xero_refuses_and_what_is_wrong_with_an_invoice_is_told_in_the_language_of_whoever_reads_it(self):
        connection = self.connect()
        self._speak_german(self.env.user)
        self.fake.faults.add("GET", "/Organisation$", status=403)
        with self.subTest("a button"):
            told = self.press(connection.with_context(lang=GERMAN).action_test)["params"]["message"]
            self.assertIn("Xero verweigert den Zugriff auf diese Organisation", told)
        with self.subTest("a scheduled action, which has no language"):
            connection.write({"state": "connected", "user_id": self.env.user.id})
            self.fake.faults.clear()
            self.fake.faults.add("GET", "/Invoices$", status=500)
            self.run_import(connection)
            self.assertEqual(connection.message, "Xero hat zurzeit selbst ein Problem (500).")
            self.fake.faults.clear()
            connection.blocked_until = False
            invoice = self.invoice(lines=[self.line("NOBODY")])
            self.run_import(connection)
            self.assertIn("Kein Produkt hat die interne Referenz „NOBODY“", self.row(invoice).reason)

    def test_what_xero_itself_said_stays_and_what_to_do_about_it_is_translated(self):
        self._speak_german(self.env.user)
        error = errors.XeroRejected(["The TaxType code 'X' is not valid"], correlation_id="a-b")
        error.lang = GERMAN
        self.assertEqual(
            error.for_person(),
            "The TaxType code 'X' is not valid Wählen Sie einen Steuersatz, den Xero für dieses Konto erlaubt. "
            "(Referenz von Xero: a-b)",
        )
