"""The fake's OAuth keeps to `xero-api.md` section 1."""
import base64
import json
from urllib.parse import parse_qs, urlsplit

from odoo.tests import tagged

from .fake_xero_case import REDIRECT, SCOPES, FakeXeroCase


def claims(token):
    """The claims of a JWT."""
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


@tagged("post_install", "-at_install")
class TestFakeXeroOauth(FakeXeroCase):

    def test_the_consent_page_shows_app_scopes_and_organisations(self):
        self.fake.add_organisation("<b>Second</b> & Co")
        page = self.authorise()
        self.assertEqual(page.status_code, 200)
        for text in ("Harbour Trading Co", "&lt;b&gt;Second&lt;/b&gt; &amp; Co", "accounting.invoices", "Allow access",
                     "Cancel"):
            self.assertIn(text, page.text)

    def click(self, decision, tenants):
        form = {"response_type": "code", "client_id": self.fake.client_id, "redirect_uri": REDIRECT, "scope": SCOPES,
                "state": "x y", "decision": decision, "tenant": tenants}
        return self.http.post(f"{self.fake.login_url}/identity/connect/authorize", data=form, allow_redirects=False)

    def test_a_click_on_allow_leads_back_with_code_and_state(self):
        location = urlsplit(self.click("allow", [self.organisation.tenant_id]).headers["Location"])
        self.assertEqual(f"{location.scheme}://{location.netloc}{location.path}", REDIRECT)
        answer = parse_qs(location.query)
        self.assertEqual(answer["state"], ["x y"])
        self.assertIn("code", answer)

    def test_a_click_on_cancel_leads_back_with_access_denied(self):
        answer = parse_qs(urlsplit(self.click("cancel", []).headers["Location"]).query)
        self.assertEqual((answer["error"], answer["state"]), (["access_denied"], ["x y"]))
        self.assertNotIn("code", answer)

    def test_allowing_without_an_organisation_asks_again(self):
        page = self.click("allow", [])
        self.assertEqual(page.status_code, 200)
        self.assertIn("Choose an organisation", page.text)

    def test_auto_approval_can_be_set_on_the_fake(self):
        self.assertEqual(self.authorise().status_code, 200)
        self.fake.auto_approve = True
        self.assertEqual(self.authorise().status_code, 302)

    def test_http_is_allowed_for_localhost_by_name_only(self):
        for uri, status in (("http://localhost:8069/cb", 302), ("https://shop.example/cb", 302),
                            ("http://127.0.0.1:8069/cb", 400), ("http://shop.example/cb", 400), ("", 400)):
            self.assertEqual(self.authorise(auto="1", redirect_uri=uri).status_code, status, uri)

    def test_broad_and_unknown_scopes_are_refused(self):
        for scope in ("offline_access accounting.transactions", "accounting.reports.read", "nonsense", ""):
            page = self.authorise(scope, auto="1")
            self.assertEqual(page.status_code, 400)
            self.assertIn("invalid_scope", page.text)

    def test_an_unknown_client_and_a_wrong_response_type_are_refused(self):
        for client_id in ("other", "", None):  # None leaves it out
            page = self.authorise(client_id=client_id, auto="1")
            self.assertEqual(page.status_code, 400)
            self.assertIn("unauthorized_client", page.text)
        self.assertIn("unsupported_response_type", self.authorise(response_type="token").text)

    def test_a_code_works_once(self):
        form = {"grant_type": "authorization_code", "code": self.code(), "redirect_uri": REDIRECT}
        self.assertEqual(self.token_call(**form).status_code, 200)
        again = self.token_call(**form)
        self.assertEqual((again.status_code, again.json()), (400, {"error": "invalid_grant"}))

    def test_a_code_lives_five_minutes(self):
        young, old = self.code(), self.code()
        self.fake.clock.advance(299)
        form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT}
        self.assertEqual(self.token_call(code=young, **form).status_code, 200)
        self.fake.clock.advance(2)
        self.assertEqual(self.token_call(code=old, **form).json(), {"error": "invalid_grant"})

    def test_a_code_is_bound_to_its_redirect_uri(self):
        answer = self.token_call(grant_type="authorization_code", code=self.code(), redirect_uri=f"{REDIRECT}/other")
        self.assertEqual(answer.json(), {"error": "invalid_grant"})

    def test_the_client_may_authenticate_by_form_or_basic_but_must_be_right(self):
        url = f"{self.fake.identity_url}/connect/token"
        form = {"grant_type": "client_credentials", "client_id": self.fake.client_id,
                "client_secret": self.fake.client_secret}
        self.assertEqual(self.http.post(url, data=form).status_code, 200)
        answer = self.http.post(url, data={**form, "client_secret": "wrong"})
        self.assertEqual((answer.status_code, answer.json()), (400, {"error": "invalid_client"}))
        answer = self.http.post(url, data={"grant_type": "client_credentials"}, auth=(self.fake.client_id, "wrong"))
        self.assertEqual(answer.json(), {"error": "invalid_client"})

    def test_unknown_grants_are_named(self):
        self.assertEqual(self.token_call(grant_type="password").json(), {"error": "unsupported_grant_type"})

    def test_a_refresh_token_comes_only_with_offline_access(self):
        self.assertIn("refresh_token", self.tokens())
        self.assertNotIn("refresh_token", self.tokens("accounting.invoices"))

    def test_an_id_token_comes_only_with_openid(self):
        self.assertNotIn("id_token", self.tokens())
        self.assertEqual(claims(self.tokens(f"openid {SCOPES}", nonce="n1")["id_token"])["nonce"], "n1")

    def test_the_access_token_names_event_user_scopes_and_expiry(self):
        tokens = self.tokens()
        content = claims(tokens["access_token"])
        self.assertEqual(content["scope"], SCOPES.split())
        self.assertEqual(content["exp"] - content["nbf"], 1800)
        self.assertEqual(tokens["expires_in"], 1800)
        self.assertTrue(content["xero_userid"])
        connection = next(iter(self.fake.identity.connections.values()))
        self.assertEqual(content["authentication_event_id"], connection["authEventId"])

    def refresh(self, token):
        return self.token_call(grant_type="refresh_token", refresh_token=token)

    def test_refreshing_rotates_the_token(self):
        first = self.tokens()
        second = self.refresh(first["refresh_token"]).json()
        self.assertNotEqual(first["refresh_token"], second["refresh_token"])
        self.assertNotEqual(first["access_token"], second["access_token"])
        self.assertEqual(second["scope"], SCOPES)

    def test_the_previous_refresh_token_works_for_thirty_minutes_more(self):
        token = self.tokens()["refresh_token"]
        self.assertEqual(self.refresh(token).status_code, 200)
        self.fake.clock.advance(29 * 60)
        self.assertEqual(self.refresh(token).status_code, 200)
        self.fake.clock.advance(2 * 60)
        self.assertEqual(self.refresh(token).json(), {"error": "invalid_grant"})

    def test_the_token_before_the_previous_one_is_dead(self):
        first = self.tokens()["refresh_token"]
        second = self.refresh(first).json()["refresh_token"]
        self.refresh(second)
        self.assertEqual(self.refresh(first).json(), {"error": "invalid_grant"})
        self.assertEqual(self.refresh(second).status_code, 200)

    def test_a_refresh_token_lives_sixty_days(self):
        kept, lost = self.tokens()["refresh_token"], self.tokens()["refresh_token"]
        self.fake.clock.advance(59 * 86_400)
        kept = self.refresh(kept).json()["refresh_token"]
        self.fake.clock.advance(2 * 86_400)
        self.assertEqual(self.refresh(lost).json(), {"error": "invalid_grant"})
        self.assertEqual(self.refresh(kept).status_code, 200)

    def test_an_access_token_expires_after_thirty_minutes(self):
        self.connect()
        self.get("Organisation")
        self.fake.clock.advance(1801)
        answer = self.call("GET", "Organisation")
        self.assertEqual(answer.status_code, 401)
        self.assertRegex(answer.json()["Detail"], "^TokenExpired: token expired at ")

    def connections(self, **query):
        return self.http.get(f"{self.fake.identity_url}/connections", params=query).json()

    def test_connections_are_filtered_by_authentication_event(self):
        second = self.fake.add_organisation("Second")
        self.connect()
        event = self.connections()[0]["authEventId"]
        self.connect(organisation=second)
        self.assertEqual({entry["tenantName"] for entry in self.connections()}, {"Harbour Trading Co", "Second"})
        self.assertEqual([entry["tenantName"] for entry in self.connections(authEventId=event)],
                         ["Harbour Trading Co"])

    def test_times_of_connections_are_naive_with_seven_digits(self):
        self.connect()
        self.assertRegex(self.connections()[0]["createdDateUtc"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}$")

    def test_one_consent_may_grant_several_organisations(self):
        second = self.fake.add_organisation("Second")
        self.code(tenant=f"{self.organisation.tenant_id},{second.tenant_id}")
        self.assertEqual(len({entry["authEventId"] for entry in self.fake.identity.connections.values()}), 1)
        self.assertEqual(len(self.fake.identity.connections), 2)

    def test_deleting_a_connection_takes_its_id_and_removes_only_that_one(self):
        second = self.fake.add_organisation("Second")
        self.connect(organisation=second)
        self.connect()
        mine = next(entry for entry in self.connections() if entry["tenantId"] == self.organisation.tenant_id)
        url = f"{self.fake.identity_url}/connections"
        self.assertEqual(self.http.delete(f"{url}/{self.organisation.tenant_id}").status_code, 404)
        self.assertEqual(self.http.delete(f"{url}/{mine['id']}").status_code, 204)
        self.assertEqual([entry["tenantName"] for entry in self.connections()], ["Second"])
        self.assertEqual(self.call("GET", "Organisation").status_code, 403)

    def test_an_organisation_its_user_disconnected_is_neither_listed_nor_served(self):
        second = self.fake.add_organisation("Second")
        self.connect(organisation=second)
        self.connect()
        self.fake.identity.disconnect(self.organisation.tenant_id)
        self.assertEqual([entry["tenantName"] for entry in self.connections()], ["Second"])
        answer = self.call("GET", "Organisation")
        self.assertEqual((answer.status_code, answer.json()["Detail"]), (403, "AuthenticationUnsuccessful"))

    def test_a_renamed_organisation_has_its_new_name_everywhere(self):
        self.connect()
        self.organisation.rename("Harbour & Daughters")
        self.assertEqual([entry["tenantName"] for entry in self.connections()], ["Harbour & Daughters"])
        self.assertEqual(self.get("Organisation")["Organisations"][0]["Name"], "Harbour & Daughters")
        self.assertIs(self.fake.organisation("Harbour & Daughters"), self.organisation)
        door = f"{self.fake.login_url}/_fake/organisations/{self.organisation.tenant_id}/Organisations"
        self.http.post(f"{door}/{self.organisation.tenant_id}", json={"Name": "Harbour"}).raise_for_status()
        self.assertEqual([entry["tenantName"] for entry in self.connections()], ["Harbour"])

    # --- the ceiling of the app's tier -------------------------------------------------------------------------------
    def test_consent_beyond_the_ceiling_shows_an_error_and_connects_nothing(self):
        second, third = self.fake.add_organisation("Second"), self.fake.add_organisation("Third")
        self.fake.connection_cap = 2
        self.connect()
        for page in (self.authorise(auto="1", tenant=f"{second.tenant_id},{third.tenant_id}"),
                     self.click("allow", [second.tenant_id, third.tenant_id])):
            self.assertEqual(page.status_code, 400)
            self.assertNotIn("Location", page.headers)
            self.assertIn("cannot be connected to more organisations", page.text)
        self.assertEqual(set(self.fake.identity.connections), {self.organisation.tenant_id})
        self.assertEqual(self.click("allow", [second.tenant_id]).status_code, 302)
        self.assertEqual(self.click("allow", [third.tenant_id]).status_code, 400)

    def test_at_the_ceiling_a_connection_can_be_renewed_and_one_takes_the_place_of_another(self):
        second = self.fake.add_organisation("Second")
        self.fake.connection_cap = 1
        self.connect()
        self.assertEqual(self.authorise(auto="1").status_code, 302)
        self.fake.identity.disconnect(self.organisation.tenant_id)
        self.assertEqual(self.authorise(auto="1", tenant=second.tenant_id).status_code, 302)

    def test_a_lowered_ceiling_lets_existing_connections_live_and_be_renewed(self):
        self.connect(organisation=self.fake.add_organisation("Second"))
        self.connect()
        self.fake.connection_cap = 1
        self.get("Organisation")
        self.assertEqual(self.authorise(auto="1").status_code, 302)

    def test_custom_connections_are_outside_the_ceiling(self):
        second = self.fake.add_organisation("Second")
        self.fake.connection_cap = 1
        self.token_call(grant_type="client_credentials")
        self.assertEqual(self.authorise(auto="1", tenant=second.tenant_id).status_code, 302)
        self.assertEqual(self.authorise(auto="1", tenant=self.organisation.tenant_id).status_code, 400)
        self.fake.connection_cap = 2
        self.assertEqual(self.authorise(auto="1", tenant=self.organisation.tenant_id).status_code, 302)
        third = self.fake.add_organisation("Third")
        self.assertEqual(self.authorise(auto="1", tenant=third.tenant_id).status_code, 400)

    def test_revoking_removes_all_connections_of_the_user(self):
        self.fake.add_organisation("Second")
        self.tokens(tenant="Second")
        tokens = self.tokens()
        answer = self.http.post(f"{self.fake.identity_url}/connect/revocation", data={"token": tokens["refresh_token"]},
                                auth=(self.fake.client_id, self.fake.client_secret))
        self.assertEqual((answer.status_code, answer.content), (200, b""))
        self.assertEqual(self.fake.identity.connections, {})
        self.assertEqual(self.refresh(tokens["refresh_token"]).json(), {"error": "invalid_grant"})

    def test_a_custom_connection_needs_no_tenant_and_gets_no_refresh_token(self):
        tokens = self.token_call(grant_type="client_credentials", scope="accounting.settings.read").json()
        self.assertNotIn("refresh_token", tokens)
        headers = {"Authorization": f"Bearer {tokens['access_token']}", "Accept": "application/json"}
        name = self.get("Organisation", headers=headers)["Organisations"][0]["Name"]
        self.assertEqual(name, "Harbour Trading Co")

    def test_a_custom_connection_reaches_no_other_organisation(self):
        second = self.fake.add_organisation("Second")
        self.tokens(tenant="Second")
        token = self.token_call(grant_type="client_credentials").json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "xero-tenant-id": second.tenant_id}
        self.assertEqual(self.call("GET", "Organisation", headers=headers).status_code, 403)

    def test_a_wrong_or_missing_tenant_is_forbidden(self):
        self.connect()
        for tenant in ("", "00000000-0000-0000-0000-000000000009"):
            answer = self.call("GET", "Invoices", headers={"xero-tenant-id": tenant})
            self.assertEqual(answer.status_code, 403)
            self.assertEqual((answer.json()["Title"], answer.json()["Detail"]),
                             ("Forbidden", "AuthenticationUnsuccessful"))

    def test_an_unknown_token_is_unauthorised(self):
        self.connect()
        answer = self.call("GET", "Invoices", headers={"Authorization": "Bearer nonsense"})
        self.assertEqual((answer.status_code, answer.json()["Detail"]), (401, "AuthenticationUnsuccessful"))

    def test_a_missing_scope_is_a_401_with_a_challenge(self):
        self.connect("accounting.contacts.read")
        self.get("Contacts")
        for method, path in (("GET", "Invoices"), ("PUT", "Contacts"), ("GET", "Accounts")):
            answer = self.call(method, path, json={} if method == "PUT" else None)
            self.assertEqual(answer.status_code, 401, path)
            self.assertIn("insufficient_scope", answer.headers["WWW-Authenticate"])

    def test_a_read_scope_reads_and_does_not_write(self):
        self.connect("accounting.invoices.read")
        self.get("Invoices")
        self.assertEqual(self.write("PUT", "Invoices", {}).status_code, 401)
