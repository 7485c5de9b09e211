import logging
from datetime import timedelta

import psycopg2
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import SQL, format_date

from .raced import RacedError, raced_is_busy

_logger = logging.getLogger(__name__)

_TO_SUNDAY = timedelta(days=6)
_CALL_FOR_HELP = "xero_connector.mail_activity_type_xero_fee"


class XeroFee(models.Model):
    """What one customer owes for one week, once decided: its draft invoice, nothing to pay, or why it failed.

    The row stays when its invoice is deleted or cancelled: somebody decided that, and no other is made by itself.
    """

    _name = "xero.fee"
    _description = "Weekly Fee for Xero Integrations"
    _inherit = ["xero.guarded.mixin"]
    _order = "week_start desc, id desc"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, readonly=True, index=True, ondelete="cascade"
    )
    week_start = fields.Date(string="Week of", required=True, readonly=True, help="Its Monday.")
    date_from = fields.Date(
        string="From", required=True, readonly=True, help="The first day that counts: fees may begin within a week."
    )
    connection_ids = fields.Many2many(
        "xero.connection", string="Integrations", readonly=True, context={"active_test": False}
    )
    active_days = fields.Integer(string="Days", readonly=True, help="Active days of all integrations together.")
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount = fields.Monetary(readonly=True, help="What the invoice was made with, without taxes that are added.")
    state = fields.Selection(
        [("billed", "Billed"), ("free", "Nothing to pay"), ("failed", "Failed")],
        required=True,
        readonly=True,
        default="free",
    )
    reason = fields.Text(readonly=True)
    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        readonly=True,
        check_company=True,
        index="btree_not_null",
        ondelete="set null",
    )
    outcome = fields.Selection(
        [
            ("failed", "Failed"),
            ("free", "Nothing to pay"),
            ("draft", "Draft"),
            ("posted", "Posted"),
            ("cancel", "Cancelled"),
            ("deleted", "Invoice deleted"),
        ],
        compute="_compute_outcome",
        compute_sudo=True,
    )

    _once = models.UniqueIndex(
        "(partner_id, week_start, company_id)", "This week is decided for this customer already."
    )
    _failed = models.Index("(company_id) WHERE state = 'failed'")

    @api.depends("state", "move_id.state")
    def _compute_outcome(self):
        for fee in self:
            fee.outcome = (fee.move_id.state or "deleted") if fee.state == "billed" else fee.state

    @api.depends("partner_id", "week_start")
    def _compute_display_name(self):
        for fee in self:
            fee.display_name = f"{fee.partner_id.name}: {fee._week_text()}"

    def _week_text(self):
        return " – ".join(format_date(self.env, day) for day in (self.week_start, self.week_start + _TO_SUNDAY))

    # === EVERY WEEK === #

    @api.model
    def _cron_fees(self):
        """Bill every completed week that is not decided yet, customer by customer. It looks every day, so that a week
        is billed when it is over wherever the company is, and what failed is tried again."""
        companies = self.env["res.company"].search([("xero_fee", "=", True)]).filtered(self._can_bill)
        due = [values for company in companies for values in self._due(company)]
        commit = self.env["ir.cron"]._commit_progress
        commit(remaining=len(due))
        all_decided = True
        for values in due:
            all_decided &= self._bill_safely(values)
            if not commit(1):
                return  # the scheduler goes on here
        if all_decided:
            for company in companies:
                if company.xero_fee_from:  # not switched off meanwhile
                    company.xero_fee_from = max(company.xero_fee_from, self._this_week(company))

    def _can_bill(self, company):
        """Whether the settings suffice; where not, one activity says so instead of one for each customer."""
        problem = company._xero_fee_problem()
        if problem:
            self._call_for_help(company, company.partner_id, problem)
        else:
            self._calls(company, company.partner_id).unlink()
        return not problem

    def _this_week(self, company):
        """The Monday of the week that is not over."""
        today = company._xero_fee_today()
        return today - timedelta(days=today.weekday())

    def _due(self, company):
        """Who is to be billed for which completed week: what failed before, and what is not decided.

        :rtype: list of dicts with the values a row begins with
        """
        failed = self.search([("company_id", "=", company.id), ("state", "=", "failed")], order="week_start, id")
        values = [
            {
                "company_id": company.id,
                "partner_id": fee.partner_id.id,
                "week_start": fee.week_start,
                "date_from": fee.date_from,
            }
            for fee in failed
        ]
        date_from, this_week = company.xero_fee_from, self._this_week(company)
        for partner_id, week_start in self._undecided(company, date_from, this_week - timedelta(days=1)):
            values.append(
                {
                    "company_id": company.id,
                    "partner_id": partner_id,
                    "week_start": week_start,
                    "date_from": max(week_start, date_from),
                }
            )
        return values

    def _undecided(self, company, date_from, date_to):
        """Customers with active days, by week: ``[(partner id, Monday)]``."""
        self.env.flush_all()
        return self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT partner_id, date_trunc('week', day)::date AS week_start
                  FROM (%(days)s) AS days
                 WHERE company_id = %(company)s AND (NOT is_paused OR %(paused_too)s)
                   AND NOT EXISTS (SELECT FROM xero_fee fee
                                    WHERE fee.company_id = days.company_id AND fee.partner_id = days.partner_id
                                      AND fee.week_start = date_trunc('week', day)::date)
              ORDER BY week_start, partner_id
                """,
                days=self.env["xero.active.period"]._days_query(date_from, date_to),
                company=company.id,
                paused_too=company.xero_fee_paused,
            )
        )

    def _bill_safely(self, values):
        """Decide one customer's week, whatever goes wrong with it.

        :return: False when it is not decided, because another worker is at it
        """
        try:
            try:
                with self.env.cr.savepoint():
                    self._begin(values)._bill()
            except psycopg2.OperationalError:
                raise
            except UserError as error:
                self._fail(values, str(error))
            except Exception:
                _logger.exception("the fee of partner %s could not be billed", values["partner_id"])
                self._fail(values, self.env._("Something unexpected happened: details are in the server's log."))
        except psycopg2.OperationalError:
            self.env.cr.rollback()
            _logger.info("the fee of partner %s is decided elsewhere", values["partner_id"])
            return False
        return True

    def _fail(self, values, reason):
        fee = self._begin(values)
        fee.write({"state": "failed", "reason": reason})
        self._call_for_help(fee.company_id, fee.partner_id, reason)

    def _begin(self, values):
        """This week's row, locked against other workers; empty when it is decided.

        :raise RacedError: when another worker began it meanwhile
        """
        key = ("company_id", "partner_id", "week_start")
        if fee := self.search([(name, "=", values[name]) for name in key]):
            if not fee.try_lock_for_update():
                raise RacedError(f"fee {fee.id} is locked")
            return fee.filtered(lambda found: found.state == "failed")
        with raced_is_busy(self.env.cr):
            return self.create(values)

    def _call_for_help(self, company, partner, reason):
        """One activity at the customer, or at the company itself where nobody can be billed."""
        if self._calls(company, partner):
            return
        partner.activity_schedule(
            _CALL_FOR_HELP,
            summary=self._call_summary(company),
            note=Markup("<p>%s</p>") % reason,
            user_id=(company._xero_portal_responsible() or self.env.ref("base.user_admin")).id,
        )

    def _call_summary(self, company):
        return self.env._("The fee for Xero integrations was not billed by %s", company.name)

    def _calls(self, company, partner):
        """The open activity about this: of several companies each has its own."""
        return partner.activity_search(
            [_CALL_FOR_HELP], additional_domain=[("summary", "=", self._call_summary(company))]
        )

    # === THE INVOICE === #

    def _bill(self):
        """Make this week's draft invoice, where there is something to pay."""
        for fee in self:
            company = fee.company_id
            env = self.env(context={**self.env.context, "lang": fee.partner_id.lang or self.env.lang})
            fee = fee.with_env(env).with_company(company)
            price = company._xero_fee_price(fee.partner_id)
            days = fee._days()
            lines = fee._prepare_lines(price, days)
            move = env["account.move"]
            if lines:
                move = fee.env["account.move"].create(fee._prepare_invoice(price, lines))
                move.message_post(
                    body=self.env._("Made of the active days of Xero integrations, see Xero → Reporting → Fees.")
                )
            fee.write(
                {
                    "state": "billed" if move else "free",
                    "reason": False,
                    "move_id": move.id,
                    "connection_ids": [Command.set([connection.id for connection in days])],
                    "active_days": sum(days.values()),
                    "currency_id": price.currency.id,
                    "amount": sum(line["price_unit"] for line in lines),
                }
            )
            self._calls(company, fee.partner_id).unlink()

    def _days(self):
        """How many days of this week each integration was active: dict ``connection -> days``, by name."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT connection_id, count(*)
                  FROM (%(days)s) AS days
                 WHERE company_id = %(company)s AND partner_id = %(partner)s AND (NOT is_paused OR %(paused_too)s)
              GROUP BY connection_id
                """,
                days=self.env["xero.active.period"]._days_query(
                    self.date_from, self.week_start + _TO_SUNDAY, self.partner_id
                ),
                company=self.company_id.id,
                partner=self.partner_id.id,
                paused_too=self.company_id.xero_fee_paused,
            )
        )
        days = {self.env["xero.connection"].browse(connection_id): count for connection_id, count in rows}
        return dict(sorted(days.items(), key=lambda item: (item[0].name, item[0].id)))

    def _prepare_lines(self, price, days):
        product = self.company_id.xero_fee_product_id.with_env(self.env)
        lines = []
        for connection, count in days.items():
            amount = price.currency.round(price.amount * count / 7)
            about = self.env._(
                "%(integration)s, %(week)s: active %(days)s of 7 days",
                integration=connection.name,
                week=self._week_text(),
                days=count,
            )
            if amount > 0:
                lines.append(
                    {
                        "product_id": product.id,
                        "name": f"{product.get_product_multiline_description_sale()}\n{about}",
                        "quantity": 1,
                        "price_unit": amount,
                        "tax_ids": [Command.set(price.taxes.ids)],
                    }
                )
        return lines

    def _prepare_invoice(self, price, lines):
        company = self.company_id
        values = {
            "move_type": "out_invoice",
            "company_id": company.id,
            "partner_id": self.partner_id.address_get(["invoice"])["invoice"],
            "currency_id": price.currency.id,
            "fiscal_position_id": price.fiscal_position.id,
            "invoice_date": company._xero_fee_today(),
            "invoice_user_id": self.partner_id.user_id.id,
            "invoice_line_ids": [Command.create(line) for line in lines],
        }
        if company.xero_fee_journal_id:
            values["journal_id"] = company.xero_fee_journal_id.id
        return values

    def _merge_customers(self, others, partner):
        """Leave one row for each week when these others become this partner. What was billed stays so, whoever it was;
        a failed week beside it is told, as billing it anew would bill the other's days, too."""
        fees = self.search([("partner_id", "in", (others | partner).ids)])
        for (company, _week), same in fees.grouped(lambda fee: (fee.company_id, fee.week_start)).items():
            kept = same.sorted(lambda fee: (fee.state == "failed", not fee.move_id, fee.partner_id != partner))[:1]
            for fee in same - kept:
                if fee.state == "failed" and kept.state != "failed":
                    text = self.env._(
                        "%(fee)s was not billed, and cannot be any more by itself: the customers were merged. Bill it "
                        "by hand.",
                        fee=fee.display_name,
                    )
                    self._call_for_help(company, partner, text)
            (same - kept).unlink()
            self.flush_model()
            kept.partner_id = partner

    # === ACTIONS === #

    def action_bill(self):
        """Bill a week that failed, or whose invoice somebody deleted or cancelled, now."""
        self.ensure_one()
        self.check_access("read")
        # sudo: who may see fees may have them billed, and nobody writes them by hand
        fee_sudo = self.sudo()
        fee_sudo.lock_for_update()
        if fee_sudo.outcome not in ("failed", "cancel", "deleted"):
            raise UserError(self.env._("This week is billed: delete or cancel its invoice first."))
        if problem := fee_sudo.company_id._xero_fee_problem():
            raise UserError(problem)
        fee_sudo._bill()
        return self.action_view_invoice() if fee_sudo.move_id else True

    def action_view_invoice(self):
        """The invoice of this week."""
        self.ensure_one()
        if not self.move_id:
            raise UserError(self.env._("This week has no invoice."))
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.move_id.id,
            "view_mode": "form",
        }
