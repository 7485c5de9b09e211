"""The page where a user allows an app into organisations: plain, but it can be clicked."""
from html import escape

from .http import html_response

_STYLE = ("body{font-family:sans-serif;max-width:34em;margin:3em auto;color:#123}fieldset{margin:1em 0}"
          "button{font-size:1em;padding:.5em 1.5em;margin-right:1em}label{display:block;padding:.2em}")


def _page(title, inside, status=200):
    return html_response(f"<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>"
                         f"<style>{_STYLE}</style></head><body>{inside}</body></html>", status)


def consent_page(query, organisations, message=""):
    """Ask for consent; the form sends the request's own parameters back with `decision` and `tenant`s."""
    hidden = "".join(f"<input type='hidden' name='{escape(name)}' value='{escape(value)}'>"
                     for name, value in query.items() if name not in ("tenant", "auto"))
    scopes = "".join(f"<li>{escape(scope)}</li>" for scope in query.get("scope", "").split())
    ticked = " checked" if len(organisations) == 1 else ""
    choices = "".join(
        f"<label><input type='checkbox' name='tenant' value='{organisation.tenant_id}'{ticked}> "
        f"{escape(organisation.name)}</label>" for organisation in organisations)
    return _page("Allow access", (
        f"<h1>Allow access</h1><p>The app <b>Warehouse link</b> ({escape(query['client_id'])}) wants access to your "
        f"organisation data.</p><ul>{scopes}</ul><p role='alert'>{escape(message)}</p>"
        f"<form method='post' action='/identity/connect/authorize'>{hidden}"
        f"<fieldset><legend>Organisations</legend>{choices}</fieldset>"
        "<button type='submit' name='decision' value='allow' id='allow'>Allow access</button>"
        "<button type='submit' name='decision' value='cancel' id='cancel'>Cancel</button></form>"))


def error_page(code, text):
    """Xero does not redirect a request it cannot trust; it says so on a page of its own."""
    return _page("Sorry, something went wrong", f"<h1>Sorry, something went wrong</h1><p>Error: {escape(code)}</p>"
                 f"<p>{escape(text)}</p>", 400)
