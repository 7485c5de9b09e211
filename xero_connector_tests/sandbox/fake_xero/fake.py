"""The fake Xero itself: what it holds, and the way every request takes through it."""
import json
import threading
import traceback
from dataclasses import dataclass
from functools import partial

from . import control, oauth, routing, scopes
from .clock import Clock
from .faults import Faults
from .http import JSON, HttpError, Request, Response, unauthorized
from .idempotency import IdempotencyCache
from .identity import Identity, Session
from .limits import Limits
from .log import RequestLog
from .organisation import Organisation
from .server import Cut, Server
from .store import ID_FIELDS, load_verbatim, new_id
from .webhooks import CATEGORIES, Webhooks
from .wire import to_xml

API = "/api.xro/2.0"
CLIENT_ID = "FAKEC11E47000000000000000000F4CE"


@dataclass
class Call:
    """An authorised call of the Accounting API."""

    request: Request
    organisation: Organisation
    clock: Clock
    api_url: str


class FakeXero:
    """Xero on 127.0.0.1.

    :param int port: 0 takes a free one.
    :param dict data: Xero-shaped resources (`{"Invoices": [...], ...}`) served verbatim by one organisation.
    :raises OSError: when the port is in use.

    Settings that may change at any time: `auto_approve` (consent without a click), `auto_tenants` (the organisations
    it grants, ids or names; the first one when empty), `custom_tenant` (the organisation of client credentials),
    `connection_cap` (how many organisations the app's tier may connect, None for any number), `on_request` (a callable
    that gets each `Request` before it is handled), `clock`, `faults`, `limits`, `webhooks`.
    """

    def __init__(self, port=0, data=None, client_id=CLIENT_ID, client_secret="fake-client-secret"):
        self.client_id, self.client_secret = client_id, client_secret
        self.clock = Clock()
        self.identity = Identity(self.clock, client_id, client_secret)
        self.faults, self.limits, self.log = Faults(), Limits(self.clock), RequestLog()
        self.organisations = []
        self.auto_approve, self.auto_tenants, self.custom_tenant, self.on_request = False, [], None, None
        self.connection_cap = None
        self.lock = threading.RLock()
        self._idempotency = IdempotencyCache(self.clock)
        self._thread = None
        self._server = Server(port, self._answer)
        self.port = self._server.server_port
        self.login_url = self.identity_url = f"http://localhost:{self.port}"
        self.api_url = self.login_url + API
        self.webhooks = Webhooks(self.clock, self.identity, self.api_url)
        if data is not None:
            self._load(data)

    # --- life ----------------------------------------------------------------------------------------------------
    def start(self):
        """Serve in a thread; returns self."""
        self._thread = threading.Thread(target=self.serve_forever, name="fake-xero", daemon=True)
        self._thread.start()
        return self

    def serve_forever(self):
        """Serve in this thread until `stop`."""
        self._server.serve_forever()

    def stop(self):
        """End at once, open connections and held answers included; only a webhook under way is waited for."""
        self._server.stop()
        self.webhooks.automatic = False
        if self._thread:
            self._thread.join(5)
            self._thread = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exception):
        self.stop()

    def describe(self):
        """What a client needs to know; the organisation is made when there is none yet."""
        return {"api_url": self.api_url, "identity_url": self.identity_url, "login_url": self.login_url,
                "client_id": self.client_id, "client_secret": self.client_secret,
                "tenant_id": self.first_organisation().tenant_id}

    # --- organisations -------------------------------------------------------------------------------------------
    def add_organisation(self, name, country="NZ", currency="NZD", tax=None, **extra):
        """A new organisation; `tax` is its tax type on sales, `extra` goes into /Organisation."""
        organisation = Organisation(self.clock, name, country, currency, tax, **extra)
        for resource in CATEGORIES:
            organisation.tables[resource].listener = partial(self.webhooks.notice, organisation)
        self.organisations.append(organisation)
        return organisation

    def organisation(self, id_or_name):
        """The organisation of this tenant id or name, or None."""
        return next((organisation for organisation in self.organisations
                     if id_or_name in (organisation.tenant_id, organisation.name)), None)

    def first_organisation(self):
        """The first organisation, an empty one when there is none."""
        return self.organisations[0] if self.organisations else self.add_organisation("Demo Company")

    def _load(self, data):
        own = (data.get("Organisations") or data.get("Organisation") or [{}])[0]
        organisation = self.add_organisation(own.get("Name", "Demo Company"), own.get("CountryCode", "NZ"),
                                             own.get("BaseCurrency", "NZD"), **(
                                                 {"OrganisationID": own["OrganisationID"].lower()}
                                                 if own.get("OrganisationID") else {}))
        for resource, elements in data.items():
            resource = "Organisations" if resource == "Organisation" else resource
            if resource in ID_FIELDS:  # what is given takes the place of what every organisation starts with
                organisation.tables[resource].clear()
                load_verbatim(organisation, resource, elements, self.clock.now())

    # --- log -----------------------------------------------------------------------------------------------------
    @property
    def requests(self):
        """All logged requests, oldest first."""
        return self.log.requests

    def calls(self, method=None, path=None):
        """Logged requests of this method and matching the regular expression `path`."""
        return self.log.calls(method, path)

    def reset_log(self):
        """Forget the log."""
        self.log.reset()

    # --- answering -----------------------------------------------------------------------------------------------
    def _answer(self, request, handler):
        """Log, hook, authorisation, limits, fault, work: in this order."""
        if request.path.startswith("/_fake"):
            return control.answer(self, request)
        entry = self.log.record(request)
        if self.on_request:
            self.on_request(request)
        try:
            response = self._respond(request, handler, self.faults.find(request))
        except Cut as cut:
            self._sign_off(entry, cut.response)
            raise
        return self._sign_off(entry, response)

    @staticmethod
    def _sign_off(entry, response):
        """Log the status; every answer carries an id that Xero's support asks for (`xero-api.md` 7)."""
        response.headers.setdefault("Xero-Correlation-Id", new_id())
        entry.status = response.status
        return response

    def _respond(self, request, handler, fault):
        if not request.path.lower().startswith(API):
            return self._guarded(request, handler, fault, lambda: oauth.route(self, request), {})
        try:
            with self.lock:
                session, organisation = self._authorised(request)
            headers = self.limits.enter(organisation.tenant_id)
        except HttpError as error:
            refusal = error.response
            return self._guarded(request, handler, fault, lambda: refusal, {})
        try:
            return self._guarded(request, handler, fault,
                                 lambda: self._accounting(request, session, organisation), headers)
        finally:
            self.limits.leave(organisation.tenant_id)

    def _guarded(self, request, handler, fault, work, headers):
        """Run `work` under the lock, through the fault when one strikes; errors become answers, headers are added."""
        def locked():
            with self.lock:
                try:
                    response = work()
                except HttpError as error:
                    response = error.response
                except Exception:  # noqa: BLE001 - a mistake of the fake: say so instead of closing the connection
                    response = Response(500, traceback.format_exc().encode(), "text/plain; charset=utf-8")
            return Response(response.status, response.body, response.content_type, {**response.headers, **headers})

        if not fault:
            return locked()
        response = fault.run(handler, locked)
        if response.status == 500:
            self._idempotency.keep(request, response)  # Xero replays internal errors too
        return Response(response.status, response.body, response.content_type, {**headers, **response.headers})

    def _authorised(self, request):
        """(session, organisation) of an Accounting call; raises 401 or 403."""
        session = self.identity.session_of(request)
        organisation = self.organisation(self.identity.tenant_of(session, request))
        return session, organisation

    def _accounting(self, request, session: Session, organisation):
        """Scope, idempotency key, the work itself, and XML for those who did not ask for JSON."""
        work, needed, writing = routing.find(request)
        if not scopes.allows(session.scopes, needed, writing):
            raise unauthorized("AuthorizationUnsuccessful", **{
                "WWW-Authenticate": f'insufficient_scope, error_description="{needed[0]} is needed"'})
        response = self._idempotency.replay(request)
        if response is None:
            try:
                response = work(Call(request, organisation, self.clock, self.api_url))
            except HttpError as error:
                response = error.response
            self._idempotency.keep(request, response)
        if response.content_type == JSON and not request.wants("application/json"):
            return self._as_xml(response)
        return response

    @staticmethod
    def _as_xml(response):
        text = '<?xml version="1.0" encoding="utf-8"?>' + to_xml("Response", json.loads(response.body))
        return Response(response.status, text.encode(), "text/xml; charset=utf-8", response.headers)

