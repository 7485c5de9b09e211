"""The OAuth endpoints over HTTP: authorise, token, revocation, connections (`xero-api.md` 1.1-1.5)."""
import base64
import binascii
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

from . import scopes as scope_names
from .consent_page import consent_page, error_page
from .http import Response, bad_request, json_response, not_found, redirect
from .identity import OAuthError


def _refuse_redirect(uri):
    """Why a redirect_uri is refused, or None: https, or http on `localhost` by name."""
    parts = urlsplit(uri)
    if parts.scheme == "https" and parts.hostname:
        return None
    return None if parts.scheme == "http" and parts.hostname == "localhost" else "Invalid redirect_uri"


def _back(query, **answer):
    """Redirect to the app with `answer` and the echoed state."""
    if "state" in query:
        answer["state"] = query["state"]
    uri = query["redirect_uri"]
    return redirect(f"{uri}{'&' if urlsplit(uri).query else '?'}{urlencode(answer)}")


def authorise(fake, request):
    """GET shows the page (or approves at once), POST is the user's click."""
    form = parse_qs(request.text(), keep_blank_values=True) if request.method == "POST" else {}
    decision, ticked = form.pop("decision", [""])[0], form.pop("tenant", [])
    query = {name: values[0] for name, values in form.items()} or request.query
    scopes = query.get("scope", "").split()
    if query.get("client_id") != fake.client_id:
        return error_page("unauthorized_client", "Unknown client or client not enabled")
    refused = _refuse_redirect(query.get("redirect_uri", ""))
    if refused:
        return error_page("invalid_request", refused)
    if query.get("response_type") != "code":
        return error_page("unsupported_response_type", "response_type must be code")
    if not scopes or scope_names.unknown(scopes):
        return error_page("invalid_scope", f"Invalid scope for client: {' '.join(scope_names.unknown(scopes))}")
    if decision == "cancel":
        return _back(query, error="access_denied", error_description="TenantConsent status DENIED")
    automatic = request.method == "GET" and (fake.auto_approve or query.get("auto") == "1")
    if automatic:
        ticked = [name for name in query.get("tenant", "").split(",") if name] or fake.auto_tenants or [
            organisation.tenant_id for organisation in fake.organisations[:1]]
    elif request.method == "GET":
        return consent_page(query, fake.organisations)
    chosen = [fake.organisation(name) for name in ticked]
    if not chosen or None in chosen:
        return consent_page(query, fake.organisations, "Choose an organisation.")
    if fake.identity.beyond_cap(chosen, fake.connection_cap):
        return error_page("connection_limit", "This app cannot be connected to more organisations: its plan allows "
                          f"{fake.connection_cap}. Disconnect another organisation or ask the app's provider.")
    code = fake.identity.consent(chosen, scopes, query["redirect_uri"], query.get("nonce", ""))
    return _back(query, code=code, scope=" ".join(scopes), session_state=code[:16])


def _client_is_known(fake, request, form):
    """HTTP Basic or client_id/client_secret in the form."""
    scheme, _space, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client, _colon, secret = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        client, secret = unquote(client), unquote(secret)
    else:
        client, secret = form.get("client_id"), form.get("client_secret")
    return (client, secret) == (fake.client_id, fake.client_secret)


def _form(request):
    kind = request.headers.get("content-type", "")
    return dict(parse_qsl(request.text())) if kind.startswith("application/x-www-form-urlencoded") else {}


def token(fake, request):
    """The token endpoint; every failure is 400 with an OAuth error code."""
    form = _form(request)
    grant = form.get("grant_type")
    try:
        if not _client_is_known(fake, request, form):
            raise OAuthError("invalid_client")
        if grant == "authorization_code":
            answer = fake.identity.exchange(form.get("code"), form.get("redirect_uri"))
        elif grant == "refresh_token":
            answer = fake.identity.refresh(form.get("refresh_token"))
        elif grant == "client_credentials":
            answer = _client_credentials(fake, form)
        else:
            raise OAuthError("unsupported_grant_type" if grant else "invalid_request")
    except OAuthError as error:
        return json_response({"error": str(error)}, 400)
    return json_response(answer, **{"Cache-Control": "no-store, no-cache, max-age=0"})


def _client_credentials(fake, form):
    """A custom connection; without `scope` it has what the app was given: everything the Accounting API needs."""
    scopes = form.get("scope", "").split() or sorted(
        name for name in scope_names.KNOWN if name.startswith("accounting.") and not name.endswith(".read"))
    if scope_names.unknown(scopes):
        raise OAuthError("invalid_scope")
    organisation = fake.organisation(fake.custom_tenant) if fake.custom_tenant else fake.first_organisation()
    return fake.identity.custom_connection(organisation, scopes)


def revocation(fake, request):
    """200 also for a token nobody knows, as RFC 7009 wants."""
    form = _form(request)
    if not _client_is_known(fake, request, form):
        return json_response({"error": "invalid_client"}, 400)
    fake.identity.revoke(form.get("token"))
    return Response(200, b"", None)


def connections(fake, request):
    """GET /connections, optionally of one authentication event."""
    session = fake.identity.session_of(request)
    event = {name.lower(): value for name, value in request.query.items()}.get("autheventid")
    return json_response(fake.identity.listed_connections(session, event))


def delete_connection(fake, request, connection_id):
    """DELETE /connections/{connection id}: that one only."""
    session = fake.identity.session_of(request)
    for connection in fake.identity.listed_connections(session):
        if connection["id"] == connection_id:
            fake.identity.disconnect(connection["tenantId"])
            return Response(204, b"", None)
    raise not_found()


def discovery(fake, _request):
    """The OpenID configuration."""
    return json_response({
        "issuer": fake.identity_url, "authorization_endpoint": f"{fake.login_url}/identity/connect/authorize",
        "token_endpoint": f"{fake.identity_url}/connect/token",
        "revocation_endpoint": f"{fake.identity_url}/connect/revocation",
        "scopes_supported": sorted(scope_names.KNOWN)})


def route(fake, request):
    """Answer a request that is not for the Accounting API."""
    path = request.path.rstrip("/").lower()
    table = {
        ("GET", "/identity/connect/authorize"): authorise, ("POST", "/identity/connect/authorize"): authorise,
        ("POST", "/connect/token"): token, ("POST", "/connect/revocation"): revocation,
        ("GET", "/connections"): connections, ("GET", "/.well-known/openid-configuration"): discovery,
    }
    endpoint = table.get((request.method, path))
    if endpoint:
        return endpoint(fake, request)
    if request.method == "DELETE" and path.startswith("/connections/"):
        return delete_connection(fake, request, path.rpartition("/")[2])
    if any(path == known for _method, known in table):
        raise bad_request("The verb is not allowed here")
    raise not_found()
