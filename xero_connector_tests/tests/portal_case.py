"""What the tests of the portal share: customers, and a browser without JavaScript: links and forms."""

from urllib.parse import urljoin, urlsplit

import requests
from lxml import html

from odoo.fields import Command
from odoo.tests import HOST, new_test_user

from .common import XeroHttpCase


class Page:
    """A page as it came: its text, its links, and its forms with what their fields hold."""

    def __init__(self, case, answer):
        self.case = case
        self.status = answer.status_code
        self.url = answer.url
        self.path = urlsplit(answer.url).path
        self.document = html.fromstring(answer.text, base_url=answer.url)
        main = self.document.xpath("//main") or [self.document]
        self.text = " ".join(main[0].text_content().split())
        self.source = answer.text

    def links(self):
        """The paths the page's main part leads to."""
        return [urlsplit(link.get("href")).path for link in self.document.xpath("//main//a[@href]")]

    def follow(self, text):
        """Click a link."""
        [link] = [a for a in self.document.xpath("//main//a[@href]") if " ".join(a.text_content().split()) == text]
        return self.case.visit(urljoin(self.url, link.get("href")))

    def _forms_with(self, button):
        for form in self.document.xpath("//main//form"):
            for found in form.xpath(".//button[@type='submit']"):
                if button in (" ".join(found.text_content().split()), found.get("value")):
                    yield form, found

    def buttons(self):
        """What can be pressed."""
        return [" ".join(b.text_content().split()) for b in self.document.xpath("//main//button[@type='submit']")]

    def press(self, button, place=0, **values):
        """Fill in fields and press a button, found by its text or value; the ``place``-th of that kind.

        :param values: by the fields' names, ``-`` written as ``_`` in those of rules
        """
        form, pressed = list(self._forms_with(button))[place]
        data = dict(form.form_values())
        for name, value in values.items():
            field = name if name in form.fields else name.replace("_", "-")
            self.case.assertIn(field, form.fields, f"no field {field} in {self.path}")
            if value is None:
                data.pop(field, None)
            else:
                data[field] = value
        if pressed.get("name"):
            data[pressed.get("name")] = pressed.get("value", "")
        return self.case.send(urljoin(self.url, form.get("action") or self.url), data)


class PortalCase(XeroHttpCase):
    """A warehouse with two customers who may connect themselves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.config_parameter"].set_param("web.base.url", f"http://localhost:{cls.http_port()}")
        cls.company.xero_portal = True
        cls.kauri, cls.kauri_user = cls._make_customer("Kauri Ltd", "kauri")
        cls.rimu, cls.rimu_user = cls._make_customer("Rimu Ltd", "rimu")

    @classmethod
    def _make_customer(cls, name, login):
        partner = cls.env["res.partner"].create({"name": name, "is_company": True, "email": f"{login}@example.com"})
        person = cls.env["res.partner"].create(
            {"name": f"{name} person", "parent_id": partner.id, "email": f"{login}@example.com"}
        )
        user = new_test_user(
            cls.env, login, groups="base.group_portal", partner_id=person.id, password=f"{login}-password",
            company_id=cls.company.id, company_ids=[Command.set(cls.company.ids)],
        )
        return partner, user

    def log_in(self, login):
        self.authenticate(login, f"{login}-password")

    def visit(self, path):
        """Open a page of Odoo's."""
        return self._page(self.url_open(self._here(path), timeout=60))

    def send(self, path, data):
        """Send a form; where it leads to Xero's consent page, the user allows it and comes back."""
        answer = self.url_open(self._here(path), data=data, timeout=60, allow_redirects=False)
        while answer.is_redirect:
            target = urljoin(answer.url, answer.headers["Location"])
            if urlsplit(target).port == urlsplit(self.fake.login_url).port:
                answer = requests.get(target, allow_redirects=False, timeout=10)
            else:
                answer = self.url_open(self._here(target), timeout=60, allow_redirects=False)
        return self._page(answer)

    def _here(self, url):
        """The same page at the address the session's cookie belongs to."""
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return f"http://{HOST}:{self.http_port()}{parts.path}{query}"

    def _page(self, answer):
        self.env.invalidate_all()
        return Page(self, answer)

    def connections_of(self, partner):
        return self.env["xero.connection"].search([("partner_id", "=", partner.id)])

    def set_up(self, login="kauri", name="Our shop", org=None, **values):
        """A customer's integration, set up to the end in the portal."""
        self.log_in(login)
        self.fake.auto_tenants = [(org or self.org).tenant_id]
        page = self.visit("/my/xero").follow("New integration").press("Next", name=name)
        page = page.press("Connect to Xero").follow("Next")
        page = page.press("Save and next", **{"default": str(self.warehouse.id), **values})
        page.press("Finish")
        return self.env["xero.connection"].search([("name", "=", name)])
