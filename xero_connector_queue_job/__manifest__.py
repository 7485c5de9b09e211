{
    "name": "Xero Connector on Job Queue",
    "summary": "Several Odoo processes and machines share the Xero connector's work",
    "version": "19.0.1.0.0",
    "category": "Sales/Sales",
    "author": "xero_connector contributors",
    "license": "LGPL-3",
    "depends": ["xero_connector", "queue_job"],
    "auto_install": True,
    "uninstall_hook": "uninstall_hook",
    "data": ["data/queue_job_data.xml"],
}
