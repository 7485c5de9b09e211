"""Doorbells: what changes a product in Xero's terms marks it, in the same transaction."""

from odoo import api, models

_TOLD = {
    "active",
    "categ_id",
    "company_id",
    "default_code",
    "description_purchase",
    "description_sale",
    "list_price",
    "lst_price",
    "name",
    "product_template_attribute_value_ids",
    "property_account_expense_id",
    "property_account_income_id",
    "purchase_ok",
    "sale_ok",
    "seller_ids",
    "standard_price",
    "supplier_taxes_id",
    "taxes_id",
    "uom_id",
    "variant_seller_ids",
    "xero_exchange",
}


class ProductTemplate(models.Model):
    _inherit = "product.template"

    def write(self, vals):
        result = super().write(vals)
        if _TOLD & set(vals):
            self.env["xero.product.change"].sudo()._note(_variants(self).ids)
        return result

    def unlink(self):
        # The database deletes the variants: their own method is never asked.
        # sudo: whoever may delete a product ends what binds it to Xero
        self.env["xero.binding"].sudo()._end_of_products(_variants(self))
        return super().unlink()


class ProductProduct(models.Model):
    _inherit = "product.product"

    @api.model_create_multi
    def create(self, vals_list):
        products = super().create(vals_list)
        self.env["xero.product.change"].sudo()._note(products.ids)
        return products

    def write(self, vals):
        result = super().write(vals)
        if _TOLD & set(vals):
            self.env["xero.product.change"].sudo()._note(self.ids)
        return result

    def unlink(self):
        # sudo: whoever may delete a product ends what binds it to Xero
        self.env["xero.binding"].sudo()._end_of_products(self)
        return super().unlink()


class ProductSupplierinfo(models.Model):
    _inherit = "product.supplierinfo"

    @api.model_create_multi
    def create(self, vals_list):
        vendors = super().create(vals_list)
        vendors._note_products()
        return vendors

    def write(self, vals):
        self._note_products()
        result = super().write(vals)
        self._note_products()
        return result

    def unlink(self):
        self._note_products()
        return super().unlink()

    def _note_products(self):
        products = self.product_id | _variants(self.filtered(lambda vendor: not vendor.product_id).product_tmpl_id)
        self.env["xero.product.change"].sudo()._note(products.ids)


class ProductPricelistItem(models.Model):
    _inherit = "product.pricelist.item"

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        rules._note_products()
        return rules

    def write(self, vals):
        self._note_products()
        result = super().write(vals)
        self._note_products()
        return result

    def unlink(self):
        self._note_products()
        return super().unlink()

    def _note_products(self):
        fixed = self.filtered(lambda rule: rule.compute_price == "fixed")
        products = fixed.product_id | _variants(fixed.filtered(lambda rule: not rule.product_id).product_tmpl_id)
        self.env["xero.product.change"].sudo()._note(products.ids)


class ProductTemplateAttributeValue(models.Model):
    _inherit = "product.template.attribute.value"

    def write(self, vals):
        result = super().write(vals)
        if "price_extra" in vals:
            self.env["xero.product.change"].sudo()._note(_variants(self.product_tmpl_id).ids)
        return result


def _variants(templates):
    return templates.with_context(active_test=False).product_variant_ids
