"""Odoo over HTTP, as a browser would use it: a session with its cookie, and JSON-RPC inside it."""

import requests

from .console import SandboxError

TIMEOUT = 300


class Session:
    """A user logged in at the Odoo of `url`."""

    def __init__(self, url: str, database: str, login: str, password: str):
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False  # everything is on this machine: no proxy
        answer = self._post('/web/session/authenticate', {'db': database, 'login': login, 'password': password})
        if not answer.get('uid'):
            raise SandboxError(f"Odoo does not let {login} in.")

    def call(self, model: str, method: str, *arguments, **keywords):
        return self._post(f'/web/dataset/call_kw/{model}/{method}', {
            'model': model, 'method': method, 'args': list(arguments), 'kwargs': keywords,
        })

    def search_read(self, model: str, domain: list, fields: list[str], **keywords) -> list[dict]:
        return self.call(model, 'search_read', domain, fields, **keywords)

    def reference(self, xml_id: str) -> int:
        module, name = xml_id.split('.')
        found = self.search_read('ir.model.data', [('module', '=', module), ('name', '=', name)], ['res_id'])
        if not found:
            raise SandboxError(f"The addon has no {xml_id}.")
        return found[0]['res_id']

    def get(self, url: str, **options) -> requests.Response:
        return self.http.get(url, timeout=TIMEOUT, **options)

    def _post(self, path: str, parameters: dict):
        body = {'jsonrpc': '2.0', 'method': 'call', 'params': parameters}
        answer = self.http.post(self.url + path, json=body, timeout=TIMEOUT)
        answer.raise_for_status()
        content = answer.json()
        if error := content.get('error'):
            data = error.get('data') or {}
            raise RpcError(data.get('message') or error.get('message'), data.get('name', ''))
        return content.get('result')


class RpcError(Exception):
    """Odoo's own message; `kind` is the class of its exception."""

    def __init__(self, message: str, kind: str):
        super().__init__(message)
        self.kind = kind
