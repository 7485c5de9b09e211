def uninstall_hook(env):
    """Take away what Odoo would leave of ours: it removes models, fields and records with an external id, but not what
    only names them."""
    env.cr.execute(
        """
        SELECT m.id, m.model FROM ir_model m
          JOIN ir_model_data d ON d.model = 'ir.model' AND d.res_id = m.id AND d.module = 'xero_connector'
         WHERE m.model ~ '^xero[.]'
        """
    )
    models = dict(env.cr.fetchall())
    names = list(models.values())
    env["ir.config_parameter"].search([("key", "=like", r"xero\_connector.%")]).unlink()
    env["ir.filters"].with_context(active_test=False).search([("model_id", "in", names)]).unlink()
    env["ir.exports"].search([("resource", "in", names)]).unlink()
    # Names that other modules (mail, portal …) gave to parts of our models.
    env.cr.execute(
        """
        DELETE FROM ir_model_data
         WHERE module != 'xero_connector'
           AND (model = 'ir.model.inherit'
                    AND res_id IN (SELECT id FROM ir_model_inherit WHERE model_id = ANY(%(models)s))
             OR model = 'ir.model.fields.selection'
                    AND res_id IN (SELECT s.id FROM ir_model_fields_selection s
                                     JOIN ir_model_fields f ON f.id = s.field_id WHERE f.model_id = ANY(%(models)s)))
        """,
        {"models": list(models)},
    )
    # What Odoo noted of the foreign keys of our fields on its models; they go with their columns.
    env.cr.execute(
        """
        DELETE FROM ir_model_constraint
         WHERE type = 'f' AND module = (SELECT id FROM ir_module_module WHERE name = 'xero_connector')
        """
    )
