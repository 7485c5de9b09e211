def migrate(cr, version):
    """The calls left are counted elsewhere since 19.0.1.1.0; Odoo keeps the column of a field that is computed now."""
    cr.execute("ALTER TABLE xero_connection DROP COLUMN IF EXISTS calls_left_today")
