from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal, pager

from ..models.portal_form import PortalForm, plain

_HOME = "/my/xero"
_PAGE = 30


class XeroPortal(CustomerPortal):
    """The customer's own integrations. Each method gets its connection from :meth:`_own` alone; the templates get text,
    numbers and dates, never a record."""

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "xero_attention_count" in counters:
            own_sudo = request.env["xero.connection"]._portal_all()
            values["xero_attention_count"] = sum(one._portal_is_waiting_for_somebody() for one in own_sudo)
        return values

    # === LIST AND OVERVIEW === #

    @http.route(_HOME, type="http", auth="user", website=True, methods=["GET"])
    def xero_list(self, **_kwargs):
        """The customer's integrations, each with its dot."""
        connections = request.env["xero.connection"]
        own_sudo = connections._portal_all()
        may_create = connections._portal_allowed()
        if not may_create and not own_sudo:
            raise NotFound()
        return self._page(
            "list",
            {"integrations": [one._portal_values() for one in own_sudo], "may_create": may_create},
        )

    @http.route(f"{_HOME}/<int:connection_id>", type="http", auth="user", website=True, methods=["GET"])
    def xero_overview(self, connection_id, **_kwargs):
        """One integration: how it is, what it did last, what can be done with it."""
        connection_sudo = self._own(connection_id)
        rows_sudo = request.env["xero.record"].sudo()
        newest = rows_sudo.search(rows_sudo._portal_domain(connection_sudo), limit=5)
        return self._page("overview", {"rows": newest._portal_values()}, connection_sudo)

    @http.route(
        f"{_HOME}/<int:connection_id>/<any(pause, resume, look):action>",
        type="http", auth="user", website=True, methods=["POST"],
    )
    def xero_act(self, connection_id, action, **_kwargs):
        """Pause, go on, or look for new invoices now."""
        connection_sudo = self._own(connection_id)
        if action != "pause" and not connection_sudo._portal_may_change():
            raise NotFound()
        _ = request.env._
        actions = {
            "pause": (connection_sudo.action_pause, _("Paused: nothing is imported until you press Resume.")),
            "resume": (connection_sudo._portal_resume, _("The import goes on where it was paused.")),
            "look": (connection_sudo.action_import_now, _("Xero is asked for news. Load the page again in a minute.")),
        }
        do, done = actions[action]
        if self._try(do):
            self._say(done, "success")
        return request.redirect(f"{_HOME}/{connection_id}")

    @http.route(
        f"{_HOME}/<int:connection_id>/delete", type="http", auth="user", website=True, methods=["GET", "POST"]
    )
    def xero_delete(self, connection_id, **_kwargs):
        """Ask once more, then disconnect at Xero and take the integration away. Its orders stay."""
        connection_sudo = self._own(connection_id)
        if request.httprequest.method == "GET":
            return self._page("delete", {}, connection_sudo)
        if self._try(connection_sudo.action_remove):
            self._say(request.env._("Deleted. Orders that were made stay as they are."), "success")
            return request.redirect(_HOME)
        return request.redirect(f"{_HOME}/{connection_id}")

    # === THE STEPS === #

    @http.route(f"{_HOME}/new", type="http", auth="user", website=True, methods=["GET", "POST"])
    def xero_new(self, name="", **_kwargs):
        """The first step of a new integration: its name."""
        connections = request.env["xero.connection"]
        if not connections._portal_allowed():
            raise NotFound()
        if request.httprequest.method == "POST":
            made, name = [], plain(name)
            if not name:
                self._say(request.env._("Give the integration a name."))
            elif self._try(lambda: made.append(connections._portal_create(name))):
                return request.redirect(f"{_HOME}/{made[0].id}/setup/authentication")
        return self._page("initial", {"name": name})

    @http.route(
        f"{_HOME}/<int:connection_id>/setup/initial", type="http", auth="user", website=True, methods=["GET", "POST"]
    )
    def xero_initial(self, connection_id, name=None, **_kwargs):
        """The first step again: another name."""
        connection_sudo = self._own_to_change(connection_id)
        if request.httprequest.method == "POST":
            if name := plain(name or ""):
                connection_sudo.name = name
                return self._go(connection_sudo, "authentication")
            self._say(request.env._("Give the integration a name."))
        return self._page("initial", {"name": connection_sudo.name}, connection_sudo)

    @http.route(
        f"{_HOME}/<int:connection_id>/setup/authentication", type="http", auth="user", website=True, methods=["GET"]
    )
    def xero_authentication(self, connection_id, **_kwargs):
        """The second step: the consent, and which organisation where it reaches several."""
        connection_sudo = self._own_to_change(connection_id)
        organisations = []
        if connection_sudo.needs_choice:
            self._try(lambda: organisations.extend(connection_sudo._portal_organisations()))
        return self._page("authentication", {"organisations": organisations}, connection_sudo)

    @http.route(f"{_HOME}/<int:connection_id>/connect", type="http", auth="user", website=True, methods=["POST"])
    def xero_connect(self, connection_id, **_kwargs):
        """To Xero's consent page."""
        connection_sudo = self._own_to_change(connection_id)
        url = connection_sudo._portal_connect()
        if url:
            return request.redirect(url, local=False)
        self._say(connection_sudo._portal_staff_text())
        return self._go(connection_sudo, "authentication")

    @http.route(f"{_HOME}/<int:connection_id>/organisation", type="http", auth="user", website=True, methods=["POST"])
    def xero_organisation(self, connection_id, tenant_id="", **_kwargs):
        """Which of the organisations the consent reaches it is."""
        connection_sudo = self._own_to_change(connection_id)
        self._try(lambda: connection_sudo._choose_organisation(tenant_id))
        return self._go(connection_sudo, "authentication")

    @http.route(
        f"{_HOME}/<int:connection_id>/setup/configuration",
        type="http", auth="user", website=True, methods=["GET", "POST"],
    )
    def xero_configuration(self, connection_id, action="", **posted):
        """The third step: which invoices, and where to. Everything is written with *Save*, or nothing."""
        connection_sudo = self._own_to_change(connection_id)
        if not connection_sudo.tenant_id:
            return self._go(connection_sudo, "authentication")
        if request.httprequest.method == "GET":
            return self._page("configuration", {"form": PortalForm(connection_sudo)}, connection_sudo)
        form = PortalForm(connection_sudo, posted)
        if action not in ("save", "next"):
            form.act(action)
        elif form.save():
            if action == "next":
                return self._go(connection_sudo, "test")
            self._say(request.env._("Saved."), "success")
            return self._go(connection_sudo, "configuration")
        return self._page("configuration", {"form": form}, connection_sudo)

    @http.route(
        f"{_HOME}/<int:connection_id>/setup/test", type="http", auth="user", website=True, methods=["GET", "POST"]
    )
    def xero_test(self, connection_id, invoice_id=None, **_kwargs):
        """The test order: a recent invoice, and the order it would make."""
        connection_sudo = self._own_to_change(connection_id)
        if not connection_sudo.tenant_id:
            return self._go(connection_sudo, "authentication")
        values = {"choices": [], "outcome": None}

        def look():
            if invoice_id:
                values["outcome"] = connection_sudo._portal_test_order(invoice_id)
            else:
                values["choices"] = connection_sudo._test_choices()

        self._try(look)
        return self._page("test", values, connection_sudo)

    @http.route(f"{_HOME}/<int:connection_id>/finish", type="http", auth="user", website=True, methods=["POST"])
    def xero_finish(self, connection_id, agreed="", **_kwargs):
        """Go live; where it costs something, with the customer's word for it."""
        connection_sudo = self._own_to_change(connection_id)
        if not connection_sudo.setup_done and connection_sudo._portal_fee() and not agreed:
            self._say(request.env._("Tick that you agree to the fee."))
            return self._go(connection_sudo, "test")
        is_first = not connection_sudo.setup_done
        if not self._try(connection_sudo._portal_finish):
            return self._go(connection_sudo, "test")
        if is_first:
            self._say(request.env._("The first import has begun. Load the page again in a minute."), "success")
        return request.redirect(f"{_HOME}/{connection_id}")

    # === LOG === #

    @http.route(
        [f"{_HOME}/<int:connection_id>/log", f"{_HOME}/<int:connection_id>/log/page/<int:page>"],
        type="http", auth="user", website=True, methods=["GET"],
    )
    def xero_log(self, connection_id, page=1, show="all", **_kwargs):
        """What became of the customer's invoices."""
        connection_sudo = self._own(connection_id)
        rows_sudo = request.env["xero.record"].sudo()
        labels = rows_sudo._portal_filters()
        show = show if show in labels else "all"
        domain = rows_sudo._portal_domain(connection_sudo)
        if show != "all":
            domain = [*domain, ("state", "=", show)]
        url = f"{_HOME}/{connection_id}/log"
        total = rows_sudo.search_count(domain)
        pages = pager(url=url, total=total, page=page, step=_PAGE, url_args={"show": show})
        rows = rows_sudo.search(domain, limit=_PAGE, offset=pages["offset"])._portal_values()
        return self._page("log", {"rows": rows, "pager": pages, "show": show, "filters": labels}, connection_sudo)

    @http.route(
        f"{_HOME}/<int:connection_id>/log/<int:row_id>/retry", type="http", auth="user", website=True, methods=["POST"]
    )
    def xero_retry(self, connection_id, row_id, show="all", **_kwargs):
        """Try one of the customer's invoices again."""
        connection_sudo = self._own_to_change(connection_id)
        rows_sudo = request.env["xero.record"].sudo()
        row_sudo = rows_sudo.search([*rows_sudo._portal_domain(connection_sudo), ("id", "=", row_id)])
        if not row_sudo or not row_sudo._portal_may_retry():
            raise NotFound()
        if self._try(row_sudo.action_retry):
            self._say(request.env._("%s is tried again within a minute.", row_sudo.number), "success")
        return request.redirect(f"{_HOME}/{connection_id}/log?show={'failed' if show == 'failed' else 'all'}")

    # === SHARED === #

    def _own(self, connection_id):
        """This connection, with superuser rights, if it is the customer's own.

        :raise NotFound: otherwise; whether there is such a one is nobody's to know
        """
        connection_sudo = request.env["xero.connection"]._portal_own(connection_id)
        if not connection_sudo:
            raise NotFound()
        return connection_sudo

    def _own_to_change(self, connection_id):
        """As :meth:`_own`, for what needs the permission to change it.

        :raise NotFound: also when that was withdrawn
        """
        connection_sudo = self._own(connection_id)
        if not connection_sudo._portal_may_change():
            raise NotFound()
        return connection_sudo

    def _try(self, action):
        """Do it in a savepoint, or say why it cannot be done.

        :return: whether it was done
        """
        try:
            with request.env.cr.savepoint():
                action()
        except UserError as error:
            self._say(str(error))
            return False
        return True

    def _say(self, text, kind="warning"):
        """A sentence on top of the next page."""
        request.session["xero_notice"] = [text, kind]

    def _go(self, connection_sudo, step):
        if not connection_sudo.setup_done:
            connection_sudo.setup_step = step
        return request.redirect(f"{_HOME}/{connection_sudo.id}/setup/{step}")

    def _page(self, name, values, connection_sudo=None):
        values = {
            **self._prepare_portal_layout_values(),
            "title": request.env._("Xero integrations"),
            "page_name": "xero",
            "xero_page": name,
            "notice": request.session.pop("xero_notice", None),
            "fee": request.env["xero.connection"]._portal_fee(),
            **values,
        }
        if connection_sudo:
            values["integration"] = connection_sudo._portal_values()
            values["fee"] = connection_sudo._portal_fee()
        response = request.render(f"xero_connector.portal_{name}", values)
        # Nobody clicks through to these buttons in a frame of theirs.
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        response.headers["Content-Security-Policy"] = "frame-ancestors 'self'"
        return response
