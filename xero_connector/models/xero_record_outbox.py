import uuid

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools.translate import LazyTranslate

from .. import const
from ..lib import errors, formats, item
from ..lib.client import refusals
from ..lib.errors import Problem
from .item_plan import ItemPair, plan
from .product_terms import ProductTerms

_lt = LazyTranslate("xero_connector", default_lang="en_US")

class XeroRecord(models.Model):
    """Products on their way to Xero, one row each.

    A new item is written in two steps: what is to be sent, and its key, are committed before the call. Whoever is
    killed in between leaves a row that is sent again under the very code it had; by then Xero's list was read anew, and
    what arrived is adopted. Codes are unique in Xero, so none is made twice. A change is planned anew each time; what
    was sent of it is committed, too, so that it is not taken for a change of Xero's.
    """

    _inherit = "xero.record"

    # === INTO THE OUTBOX === #

    @api.model
    def _outbox_rows(self, connection, products):
        """The outbound row of each of these products, in their order; made where there is none."""
        known = self.search(
            [
                ("connection_id", "=", connection.id),
                ("direction", "=", "out"),
                ("resource", "=", "item"),
                ("res_model", "=", products._name),
                ("res_id", "in", products.ids),
            ]
        )
        known_ids = set(known.mapped("res_id"))
        new = self.create(
            [
                {
                    "connection_id": connection.id,
                    "direction": "out",
                    "resource": "item",
                    "res_model": product._name,
                    "res_id": product.id,
                    "number": product.default_code or product.display_name,
                    "reference": product.name,
                }
                for product in products
                if product.id not in known_ids
            ]
        )
        by_product = (known | new).grouped("res_id")
        return self.browse().union(*(by_product[product.id] for product in products))

    @api.model
    def _put_out(self, connection, item_ids, by_hand=False):
        """Have these products told to Xero, but for those somebody said to ignore.

        :param dict item_ids: the item each product is mapped to, False for a new one
        :param bool by_hand: whether a person asks for it
        """
        products = connection.env["product.product"].union(*item_ids)
        for product, row in zip(products, self._outbox_rows(connection, products), strict=True):
            if row.problem_code == "ignored" and not by_hand:
                continue
            row.write(
                self._armed_values()
                | {
                    "external_id": item_ids[product],
                    "number": row.number if row.request_key else product.default_code or product.display_name,
                    "reference": product.name,
                }
            )

    def _sent_products(self, connection, codes):
        """Products that were, or may have been, sent under these codes without our knowing the outcome."""
        rows = self.search(
            [
                ("connection_id", "=", connection.id),
                ("direction", "=", "out"),
                ("resource", "=", "item"),
                ("request_key", "!=", False),
                ("number", "in", list(codes)),
            ]
        )
        products = connection.env["product.product"]
        return {row.number: products.browse(row.res_id).exists() for row in rows}

    def _base_of_sent(self, connection, product):
        """What both sides were when this item was made by a call whose answer never came: what was sent. Whatever else
        Xero says by now is a change, or of somebody who was faster: it travels as one."""
        row = self._outbox_rows(connection, product)
        xero, sent = item.XeroItem(self.payload).values(), item.XeroItem(row.payload).values()
        row.request_key = False
        sent = {name: value for name, value in sent.items() if name in xero}
        filled = {name: xero[name] for name in item.FILLED_BY_XERO if name in xero and not sent.get(name)}
        return {"xero": sent | filled, "odoo": sent}

    @api.model
    def _outbox_domain(self, connection):
        return [
            ("connection_id", "=", connection.id),
            ("direction", "=", "out"),
            ("resource", "=", "item"),
            ("state", "=", "pending"),
            "|",
            ("next_attempt", "=", False),
            ("next_attempt", "<=", fields.Datetime.now()),
        ]

    # === NEW ITEMS === #

    @api.model
    def _create_items(self, connection):
        """Make one batch of new items in Xero.

        :return: whether there was anything to do
        """
        if not connection._pushes_items or not connection._can_write_items():
            return False
        rows = self.search(
            [*self._outbox_domain(connection), ("external_id", "=", False)], order="id", limit=const.ITEMS_PER_CALL
        )
        if not rows:
            return False
        ready = rows._prepare_new(connection)
        # The intent first: whatever happens from here on, these codes are known to have been sent.
        self.env["ir.cron"]._commit_progress()
        self.env.invalidate_all()
        connection = connection._item_worker()
        ready = ready.exists().filtered(lambda row: row.state == "pending" and row.request_key)
        if connection and ready:
            ready._send_new(connection)
        return True

    def _prepare_new(self, connection):
        """Decide what is sent for each of these products; what cannot be sent fails here.

        :return: the rows to send
        """
        products = connection.env["product.product"].browse(self.mapped("res_id")).exists()
        bindings = self.env["xero.binding"]._of_items(connection, [], products).grouped("res_id")
        terms = ProductTerms(connection, products)
        eligible = products.filtered_domain(connection._item_domain())
        by_id = {product.id: product for product in products}
        ready = self.browse()
        key = str(uuid.uuid4())
        for row in self:
            product = by_id.get(row.res_id)
            if not product:
                row._skip("deleted_here", connection.env._("The product was deleted in Odoo."))
            elif binding := bindings.get(product.id):
                row.write({"external_id": binding.external_id, "request_key": False})
            elif product not in eligible or not product.active:
                # The list was read since: what may have been sent did not arrive.
                row._skip("kept_out", connection.env._("The product is kept out, or archived."))
                row.request_key = False
            elif row.request_key:
                # May have been sent: the very same once more, under its very code.
                row.write({"request_key": key, "attempts": row.attempts + 1})
                ready |= row
            elif problem := row._code_problem(connection, product):
                row._fail([problem])
            else:
                element = item.new_element(terms.of(product, product.uom_id.browse()))
                row.write({"payload": element, "request_key": key, "number": element["Code"]})
                ready |= row
        return ready

    def _code_problem(self, connection, product, item_id=None):
        """Why Xero would refuse this product's code, or would take it for another item; None where all is well.

        :param str item_id: the item that is to have it
        """
        _ = connection.env._
        code = formats.text(product.default_code)
        if not code:
            reason = _("Xero needs a code: give the product an internal reference.")
            return Problem("code_missing", reason, None, product)
        if len(code) > item.LONGEST["code"]:
            reason = _(
                "The internal reference “%(code)s” has %(length)s characters, Xero takes %(most)s.",
                code=code,
                length=len(code),
                most=item.LONGEST["code"],
            )
            return Problem("code_long", reason, code, product)
        company = ("company_id", "in", (False, connection.company_id.id))
        if twin := product.search([("default_code", "=", code), ("id", "!=", product.id), company], limit=1):
            reason = _(
                "%(other)s has the internal reference “%(code)s”, too. Keep it on one of them.",
                other=twin.display_name,
                code=code,
            )
            return Problem("code_taken", reason, code, product)
        others = self._items_by_code(connection, [code]).filtered(lambda row: row.external_id != item_id)
        if others:
            reason = _(
                "Xero has an item with the code “%(code)s” already: %(name)s. Map the product to it, or change its "
                "internal reference.",
                code=code,
                name=others[0].reference or others[0].number,
            )
            return Problem("code_taken", reason, code, product)
        return None

    def _send_new(self, connection):
        """One call for these rows; each ends by itself."""
        elements = [formats.plain(row.payload) for row in self]
        try:
            with connection._client(purpose="items") as client:
                answers = client.create_items(elements, key=self[0].request_key)
        except errors.XeroRejected as error:
            for row in self:
                # A key stands for one body (xero-api.md, section 4.4).
                row.request_key = str(uuid.uuid4())
            self._each_alone(connection, error, lambda row: row._send_new(connection))
            return
        except errors.XeroError as error:
            self._hold_up(connection, error)
            return
        connection._note_items_written()
        for row, answer in zip(self, _in_order(elements, answers, "Code"), strict=True):
            row._conclude_new(connection, answer)

    def _conclude_new(self, connection, answer):
        if messages := refusals(answer):
            if any("already exists" in message for message in messages):
                self._look_for_twin(connection, messages)
            else:
                self.request_key = False
                product = connection.env[self.res_model].browse(self.res_id)
                self._fail([Problem("xero_rejected", str(errors.XeroRejected(messages)), None, product)])
            return
        product = connection.env["product.product"].browse(self.res_id)
        row = self._keep_item(connection, answer, product)
        binding = self.env["xero.binding"]._bind_items(connection, row, product)
        xero, sent = item.XeroItem(answer).values(), item.XeroItem(self.payload).values()
        binding._settle(xero, {name: sent[name] for name in xero})
        self.write({"external_id": row.external_id, "request_key": False, "reason": False})
        if self.attempts:
            # What was sent is of an earlier turn: the product may have changed since.
            self.env["xero.product.change"]._note(product.ids, connection)
        self._succeed(product)

    def _look_for_twin(self, connection, messages):
        """The code is taken after all: by what we sent before, or by somebody just now. Its item decides."""
        with connection._client(purpose="items") as client:
            twin = client.item_by_code(self.number)
        known = twin and self._items_by_id(connection, [item.XeroItem(twin).id]).get(item.XeroItem(twin).id)
        if known and known.state != "pending":
            # Its item was compared, and is not this product.
            self.request_key = False
            product = connection.env[self.res_model].browse(self.res_id)
            self._fail([Problem("code_taken", " ".join(messages), self.number, product)])
            return
        self._postpone(errors.XeroRetryLater(" ".join(messages)))
        if twin:
            self._receive(connection, "item", [twin])

    # === CHANGED ITEMS === #

    @api.model
    def _update_items(self, connection):
        """Tell Xero what changed about one batch of items. Planned anew, so that what came from Xero meanwhile counts.

        :return: whether there was anything to do
        """
        if not connection._pushes_items or not connection._can_write_items():
            return False
        rows = self.search(
            [*self._outbox_domain(connection), ("external_id", "!=", False)], order="id", limit=const.ITEMS_PER_CALL
        )
        if not rows:
            return False
        changes = rows.with_env(connection.env)._plan_changes(connection)
        # What is sent first: found in Xero without an answer, it is no change of somebody there.
        self.env["ir.cron"]._commit_progress()
        self.env.invalidate_all()
        connection = connection._item_worker()
        waiting = rows.exists().filtered(lambda row: row.state == "pending" and row in changes)
        ready = waiting.filtered(lambda row: changes[row].pair.binding.exists())
        if connection and ready:
            ready.with_env(connection.env)._send_changes(connection, changes)
        return True

    def _send_changes(self, connection, changes):
        """One call for these rows; each ends by itself."""
        elements = [changes[row].element for row in self]
        try:
            with connection._client(purpose="items") as client:
                answers = client.update_items(elements)
        except errors.XeroRejected as error:
            self._each_alone(connection, error, lambda row: row._send_changes(connection, changes))
            return
        except errors.XeroError as error:
            self._hold_up(connection, error)
            return
        connection._note_items_written()
        for row, answer in zip(self, _in_order(elements, answers, "ItemID"), strict=True):
            row._conclude_change(connection, changes[row], answer)

    def _plan_changes(self, connection):
        """What is to be sent for each of these rows; what needs nothing, or cannot be sent, ends here.

        :return: dict ``row -> _Change``
        """
        products = connection.env["product.product"].browse(self.mapped("res_id")).exists()
        bindings = self.env["xero.binding"]._of_items(connection, [], products).grouped("res_id")
        items = self._items_by_id(connection, self.mapped("external_id"))
        terms = ProductTerms(connection, products)
        eligible = products.filtered("active").filtered_domain(connection._item_domain())
        by_id = {product.id: product for product in products}
        changes = {}
        for row in self:
            product, binding = by_id.get(row.res_id), bindings.get(row.res_id)
            if not binding or binding.external_id not in items or product not in eligible:
                row._skip("kept_out", connection.env._("The product is not exchanged any more."))
                continue
            pair = ItemPair(items[binding.external_id], product, binding)
            planned, _xero, _odoo = plan(connection, terms, pair)
            problem = "code" in planned.pushes and row._code_problem(connection, product, binding.external_id)
            if problem:
                # The rest is sent all the same.
                del planned.pushes["code"]
            if problem and not planned.pushes:
                row._fail([problem])
            elif planned.pushes:
                element = item.XeroItem(pair.row.payload).changed(planned.pushes)
                reason = "\n".join(planned.lines)
                row.write({"payload": formats.plain(element), "number": element["Code"], "reason": reason})
                binding._note_sent(planned.pushes)
                changes[row] = _Change(element, pair, planned.pushes, planned.decided, problem)
            else:
                row._succeed(product)
        return changes

    def _conclude_change(self, connection, change, answer):
        product = connection.env["product.product"].browse(self.res_id)
        if messages := refusals(answer):
            if any("could not be found" in message for message in messages):
                # Deleted in Xero; the whole list says so for sure.
                connection.items_whole_at = False
            self._fail([Problem("xero_rejected", str(errors.XeroRejected(messages)), None, product)])
            return
        change.pair.row._take_answer(item.XeroItem(answer), product)
        xero = item.XeroItem(answer).values()
        change.pair.binding._settle({name: xero.get(name) for name in change.sent}, change.sent)
        change.pair.row._look_again(change.pair.binding, xero)
        if change.decided:
            product._xero_tell({product.id: Markup("<br/>").join(change.decided)})
        if change.problem:
            self._fail([change.problem])
        else:
            self._succeed(product)

    # === OUTCOMES === #

    def _keep_item(self, connection, element, product):
        """:return: the row of the item Xero answered with, made where there is none"""
        xero_item = item.XeroItem(element)
        row = self._items_by_id(connection, [xero_item.id]).get(xero_item.id) or self.create(
            {"connection_id": connection.id, "resource": "item", "external_id": xero_item.id, "number": xero_item.code}
        )
        row._take_answer(xero_item, product)
        return row

    def _look_again(self, binding, xero):
        """The answer may hold what somebody changed since we read the item: it is compared, too."""
        known = (binding.sudo().base or {}).get("xero", {})
        if any(known[name] != value for name, value in xero.items() if name in known):
            self.write(self._armed_values())

    def _take_answer(self, xero_item, product):
        """Xero's answer is the newest version of the item: its row needs no work."""
        values = self._values_from("item", xero_item)
        if self.state != "pending" or not self.payload:
            # Else its news is not compared yet, and will be: with what Xero says now.
            values |= {
                "state": "done",
                "problem_code": False,
                "res_model": product._name,
                "res_id": product.id,
                "done_at": fields.Datetime.now(),
            }
        self.write(values)

    def _each_alone(self, connection, error, send):
        """Xero refused the call as a whole: one by one, so that one bad row costs itself and nothing else."""
        if len(self) > 1:
            for row in self:
                send(row)
            return
        product = connection.env[self.res_model].browse(self.res_id)
        self.request_key = False
        self._fail([Problem("xero_rejected", str(error), None, product)])
        self.correlation_id = error.correlation_id

    def _hold_up(self, connection, error):
        """The call may have reached Xero, or not: these rows wait. Writing is not importing: a consent that does not
        cover it stops nothing else."""
        if isinstance(error, errors.XeroDenied) and error.code == "scope":
            connection.item_message = str(error)
            # What waits beside these would be refused, too.
            waiting = self | self.search(self._outbox_domain(connection))
            waiting.write({"next_attempt": fields.Datetime.add(fields.Datetime.now(), days=1), "reason": str(error)})
            return
        self._postpone(errors.XeroRetryLater(
            str(error), limit=getattr(error, "limit", None), retry_after=getattr(error, "retry_after", None),
            correlation_id=error.correlation_id,
        ))
        # Kept with the rows; then the turn ends as it does for every error.
        self.env["ir.cron"]._commit_progress()
        raise error


class _Change:
    """One change under way.

    ``element``: what is sent; ``pair``: whose it is; ``sent``: the product's values it stands for; ``decided``:
    sentences for the chatter once Xero took it; ``problem``: what could not be sent with it.
    """

    __slots__ = ("decided", "element", "pair", "problem", "sent")

    def __init__(self, element, pair, sent, decided, problem):
        self.element = element
        self.pair = pair
        self.sent = sent
        self.decided = decided
        self.problem = problem


def _in_order(elements, answers, key):
    """The answer of each element that was sent: by its key, else by its place, as a refused one may carry no id.

    :raise XeroRetryLater: where one has none
    """
    by_key = {str(answer.get(key, "")).casefold(): answer for answer in answers}
    by_place = answers if len(answers) == len(elements) else [None] * len(elements)
    pairs = zip(elements, by_place, strict=True)
    found = [by_key.get(str(element[key]).casefold(), answer) for element, answer in pairs]
    if not all(found):
        raise errors.XeroRetryLater(_lt("Xero's answer does not name everything that was sent."))
    return found
