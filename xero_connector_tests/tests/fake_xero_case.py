"""What the tests of the fake Xero share: a running fake, one organisation, and a bare `requests` session."""
from urllib.parse import parse_qs, urlsplit

import requests

from odoo.tests import BaseCase

from ..sandbox.fake_xero import FakeXero

SCOPES = ("offline_access accounting.invoices accounting.payments accounting.contacts accounting.settings "
          "accounting.attachments")
REDIRECT = "http://localhost:8069/xero/oauth/callback"


class FakeXeroCase(BaseCase):
    """A fake of its own for each test."""

    def setUp(self):
        super().setUp()
        self.fake = FakeXero().start()
        self.addCleanup(self.fake.stop)
        self.organisation = self.fake.add_organisation("Harbour Trading Co")
        self.http = requests.Session()
        self.addCleanup(self.http.close)

    def authorise(self, scopes=SCOPES, **parameters):
        """The answer of the authorise page, not followed."""
        query = {"response_type": "code", "client_id": self.fake.client_id, "redirect_uri": REDIRECT, "scope": scopes,
                 "state": "s1", **parameters}
        return self.http.get(f"{self.fake.login_url}/identity/connect/authorize", params=query, allow_redirects=False)

    def code(self, scopes=SCOPES, **parameters):
        """A code, consented to without a click."""
        location = self.authorise(scopes, auto="1", **parameters).headers["Location"]
        return parse_qs(urlsplit(location).query)["code"][0]

    def token_call(self, **form):
        """The answer of the token endpoint."""
        return self.http.post(f"{self.fake.identity_url}/connect/token", data=form,
                              auth=(self.fake.client_id, self.fake.client_secret))

    def tokens(self, scopes=SCOPES, **parameters):
        """A fresh set of tokens."""
        return self.token_call(grant_type="authorization_code", code=self.code(scopes, **parameters),
                               redirect_uri=REDIRECT).json()

    def connect(self, scopes=SCOPES, organisation=None):
        """Connect an organisation; calls carry its token from then on."""
        organisation = organisation or self.organisation
        token = self.tokens(scopes, tenant=organisation.tenant_id)["access_token"]
        self.http.headers.update({"Authorization": f"Bearer {token}", "xero-tenant-id": organisation.tenant_id,
                                  "Accept": "application/json"})

    def call(self, method, path, headers=None, **options):
        """A call of the Accounting API."""
        return self.http.request(method, f"{self.fake.api_url}/{path}", headers=headers, timeout=10, **options)

    def get(self, path, headers=None, **query):
        """The JSON of a GET that must succeed."""
        answer = self.call("GET", path, headers=headers, params=query)
        self.assertEqual(answer.status_code, 200, answer.text[:500])
        return answer.json()

    def write(self, method, path, body, **query):
        """A PUT or POST of a JSON body."""
        return self.call(method, path, json=body, params=query)

    def refused(self, method, path, body, **query):
        """The messages a refused write is answered with."""
        answer = self.write(method, path, body, **query)
        self.assertEqual(answer.status_code, 400, answer.text[:500])
        return [error["Message"] for element in answer.json()["Elements"] for error in element["ValidationErrors"]]
