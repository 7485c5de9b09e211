"""What tests of workers that send to Xero stand on: a database connected to a company's books, all of it mapped."""

from ..sandbox.fake_xero import FakeXero
from .workers_case import WorkersCase

ORGANISATION = "Export"


class SendingWorkersCase(WorkersCase):
    with_jobs = False  # whether OCA's job queue is installed

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fake = FakeXero().start()
        cls.addClassCleanup(cls.fake.stop)
        cls.fake.auto_approve = True
        cls.database = cls.enterClassContext(cls.databases.copy_for_run(cls.template, cls.__name__.lower()))
        if cls.with_jobs:
            cls.databases.install_jobs(cls.database)
        cls.registry = cls.enterClassContext(cls._registry(cls.database))
        with cls._env() as env:
            cls.org = cls.fake.add_organisation(ORGANISATION, currency=env.company.currency_id.name)
            cls._set_up(env)
        cls._consent(cls.registry, ORGANISATION)
        with cls._env() as env:
            cls._fill_tables(env)

    @classmethod
    def _set_up(cls, env):
        app = cls._make_app(env)
        env["xero.connection"].create(
            {
                "name": ORGANISATION,
                "app_id": app.id,
                "sync_interval": "manual",
                "import_orders": False,
                "export_source": "sale_order",
                "export_status": "authorised",
                "price_source": "odoo",
                "description_source": "odoo",
            }
        )

    @classmethod
    def _fill_tables(cls, env):
        connection = env["xero.connection"].search([])
        connection.action_read_tables()
        account = connection.account_mapping_ids.filtered(lambda line: line.code == "200")
        untaxed = connection.tax_mapping_ids.filtered(lambda line: line.tax_type == "NONE")
        connection.write({"export_account_id": account.id, "export_untaxed_id": untaxed.id})
        values = {"name": "Thing", "type": "service", "list_price": 10, "taxes_id": False}
        cls.product_id = env["product.product"].create(values).id
        partner = env["res.partner"].create({"name": "Customer", "xero_auto_export": True})
        cls.partner_id = partner.id
        cls.contact_id = cls.org.add_contact(Name="Customer")["ContactID"]
        env["xero.binding"].create(
            {
                "connection_id": connection.id,
                "resource": "contact",
                "external_id": cls.contact_id,
                "res_model": "res.partner",
                "res_id": partner.id,
            }
        )
