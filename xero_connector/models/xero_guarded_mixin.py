from odoo import models
from odoo.exceptions import ValidationError
from odoo.models import LOG_ACCESS_COLUMNS


class XeroGuardedMixin(models.AbstractModel):
    """What no form offers, no call over RPC does either: settings that only the machine writes, and another company."""

    _name = "xero.guarded.mixin"
    _description = "Guarded Xero Settings"

    def _has_field_access(self, field, operation):
        """Odoo's ``readonly`` is for views: over RPC anybody who may write the record may write such a field, too."""
        is_machines = field.store and field.readonly and field.name not in LOG_ACCESS_COLUMNS
        if operation == "write" and is_machines and not self.env.su:
            return False
        return super()._has_field_access(field, operation)

    def write(self, vals):
        self._refuse_empty(vals)
        result = super().write(vals)
        # Odoo looks at the rules before a change only: nobody moves a record into a company that is not theirs.
        self.check_access("write")
        return result

    def _refuse_empty(self, vals):
        """PostgreSQL would complain by naming the whole row, secrets and all, to the user and in the server's log."""
        for name, value in vals.items():
            field = self._fields.get(name)
            if field and field.store and field.required and not value and field.type not in ("integer", "float"):
                label = field.get_description(self.env, ["string"])["string"]
                raise ValidationError(self.env._("%s must not be empty.", label))
