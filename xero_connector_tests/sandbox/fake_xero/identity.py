"""Who may do what: connections, codes, access and refresh tokens (`xero-api.md` 1)."""
import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field

from .http import forbidden, unauthorized
from .store import new_id

CODE_LIFE = 5 * 60  # seconds, all of these
ACCESS_LIFE = 30 * 60
ID_LIFE = 5 * 60
REFRESH_LIFE = 60 * 86_400
GRACE = 30 * 60


@dataclass
class Session:
    """One consent: its scopes and the authentication event that links it to its organisations."""

    scopes: list
    tenants: list
    redirect_uri: str = ""
    nonce: str = ""
    custom: bool = False
    event_id: str = field(default_factory=new_id)


@dataclass
class RefreshToken:
    """A refresh token; `parent` is the one it replaced, `used` when it was first used itself."""

    session: Session
    expires: float
    parent: str | None = None
    used: float | None = None


class OAuthError(Exception):
    """An error code of OAuth, such as `invalid_grant`."""


def _segment(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


class Identity:
    """Codes, tokens and connections of the one user who works in all organisations."""

    def __init__(self, clock, client_id, client_secret):
        self.clock, self.client_id, self.client_secret = clock, client_id, client_secret
        self.user_id = new_id()
        self.connections = {}
        self._organisations, self._custom = {}, set()
        self._codes, self._access, self._refresh = {}, {}, {}

    # --- consent -------------------------------------------------------------------------------------------------
    def consent(self, organisations, scopes, redirect_uri, nonce=""):
        """The user allowed the app into these organisations; returns the code."""
        session = Session(list(scopes), [organisation.tenant_id for organisation in organisations], redirect_uri, nonce)
        for organisation in organisations:
            self.connect(organisation, session.event_id)
            self._custom.discard(organisation.tenant_id)
        code = secrets.token_urlsafe(32)
        self._codes[code] = (session, self.clock.timestamp() + CODE_LIFE)
        return code

    def connect(self, organisation, event_id):
        """Make or renew the connection of an organisation."""
        self._organisations[organisation.tenant_id] = organisation
        stamp = self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"  # naive UTC with seven digits
        connection = self.connections.setdefault(organisation.tenant_id, {
            "id": new_id(), "authEventId": event_id, "tenantId": organisation.tenant_id,
            "tenantType": "ORGANISATION", "tenantName": organisation.name, "createdDateUtc": stamp})
        connection.update(authEventId=event_id, updatedDateUtc=stamp)

    def beyond_cap(self, organisations, cap):
        """Whether consent to these would make more connections than the app's tier allows (None: any number).

        Renewing is always allowed, and custom connections are outside the tiers (`xero-api.md` 1.5, 1.6).
        """
        counted = self.connections.keys() - self._custom
        new = {organisation.tenant_id for organisation in organisations} - counted
        return cap is not None and bool(new) and len(counted) + len(new) > cap

    def disconnect(self, tenant_id):
        """The user removed the app in Xero's settings."""
        self.connections.pop(tenant_id, None)

    # --- tokens --------------------------------------------------------------------------------------------------
    def _jwt(self, claims):
        """A token signed with a secret of the fake; nobody outside should check it."""
        head = _segment(json.dumps({"alg": "HS256", "typ": "JWT", "kid": "fake"}).encode())
        body = _segment(json.dumps(claims).encode())
        signature = hmac.new(self.client_secret.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
        return f"{head}.{body}.{_segment(signature)}"

    def _tokens(self, session, parent=None):
        """The answer of the token endpoint for a session."""
        now = self.clock.timestamp()
        claims = {"nbf": int(now), "exp": int(now) + ACCESS_LIFE, "iss": "https://identity.xero.com",
                  "aud": "https://identity.xero.com/resources", "client_id": self.client_id, "sub": self.user_id,
                  "xero_userid": self.user_id, "global_session_id": new_id(), "jti": secrets.token_hex(16),
                  "authentication_event_id": session.event_id, "scope": session.scopes}
        access = self._jwt(claims)
        self._access[access] = (session, now + ACCESS_LIFE)
        answer = {"access_token": access, "expires_in": ACCESS_LIFE, "token_type": "Bearer",
                  "scope": " ".join(session.scopes)}
        if "openid" in session.scopes:
            answer["id_token"] = self._jwt({
                "exp": int(now) + ID_LIFE, "iss": "https://identity.xero.com", "aud": self.client_id,
                "sub": self.user_id, "xero_userid": self.user_id, "preferred_username": "sam.porter@example.com",
                "email": "sam.porter@example.com", "given_name": "Sam", "family_name": "Porter",
                "nonce": session.nonce})
        if "offline_access" in session.scopes and not session.custom:
            token = secrets.token_urlsafe(32)
            self._refresh[token] = RefreshToken(session, now + REFRESH_LIFE, parent)
            answer["refresh_token"] = token
        return answer

    def exchange(self, code, redirect_uri):
        """Tokens for a code: single use, five minutes, same redirect_uri."""
        session, expires = self._codes.pop(code, (None, 0))
        if not session or self.clock.timestamp() >= expires or redirect_uri != session.redirect_uri:
            raise OAuthError("invalid_grant")
        return self._tokens(session)

    def refresh(self, token):
        """A new pair. Answers get lost: the token used stays good for 30 minutes, or until its successor is used."""
        known, now = self._refresh.get(token), self.clock.timestamp()
        if not known or now >= known.expires or (known.used is not None and now - known.used >= GRACE):
            raise OAuthError("invalid_grant")
        if known.used is None:
            known.used = now
        self._refresh.pop(known.parent, None)
        return self._tokens(known.session, token)

    def custom_connection(self, organisation, scopes):
        """Tokens of the client-credentials grant: one organisation, no refresh token."""
        session = Session(list(scopes), [organisation.tenant_id], custom=True)
        if organisation.tenant_id not in self.connections:
            self._custom.add(organisation.tenant_id)
        self.connect(organisation, session.event_id)
        return self._tokens(session)

    def revoke(self, token):
        """Revoking removes the session's tokens and **all** connections of the user."""
        known = self._refresh.get(token)
        if not known:
            return
        self._refresh = {key: value for key, value in self._refresh.items() if value.session is not known.session}
        self._access = {key: value for key, value in self._access.items() if value[0] is not known.session}
        self.connections.clear()

    # --- use -----------------------------------------------------------------------------------------------------
    def session_of(self, request):
        """The session of a bearer token; 401 when it is unknown or expired."""
        scheme, _space, token = request.headers.get("authorization", "").partition(" ")
        session, expires = self._access.get(token.strip(), (None, 0))
        if scheme.lower() != "bearer" or not session:
            raise unauthorized()
        if self.clock.timestamp() >= expires:
            when = self.clock.now().strftime("%m/%d/%Y %H:%M:%S")
            raise unauthorized(f"TokenExpired: token expired at {when}")
        return session

    def tenant_of(self, session, request):
        """The tenant id a request may work in; 403 when there is none."""
        tenant = request.headers.get("xero-tenant-id", "").strip().lower()
        if session.custom and not tenant:
            tenant = session.tenants[0]
        allowed = session.tenants if session.custom else self.connections
        if tenant not in allowed or tenant not in self.connections:
            raise forbidden()
        return tenant

    def listed_connections(self, session, event_id=None):
        """The connections a token sees, under the names the organisations have now."""
        return [{**connection, "tenantName": self._organisations[connection["tenantId"]].name}
                for connection in self.connections.values()
                if (not session.custom or connection["tenantId"] in session.tenants)
                and (not event_id or connection["authEventId"] == event_id)]

    def expire_access_tokens(self):
        """Let every access token be expired from now on."""
        now = self.clock.timestamp()
        self._access = {token: (session, now) for token, (session, _expires) in self._access.items()}
