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


class XeroProductDoorbell(models.AbstractModel):
    """For records beside a product that its prices come from: each change marks the product before and after it."""

    _name = "xero.product.doorbell"
    _description = "Doorbell of a Product for Xero"

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._xero_note()
        return records

    def write(self, vals):
        self._xero_note()
        result = super().write(vals)
        self._xero_note()
        return result

    def unlink(self):
        self._xero_note()
        return super().unlink()

    def _xero_note(self):
        of_templates = self.filtered(lambda record: not record.product_id)
        products = self.product_id | _variants(of_templates.product_tmpl_id)
        self.env["xero.product.change"].sudo()._note(products.ids)


class ProductSupplierinfo(models.Model):
    _name = "product.supplierinfo"
    _inherit = ["product.supplierinfo", "xero.product.doorbell"]


class ProductPricelistItem(models.Model):
    _name = "product.pricelist.item"
    _inherit = ["product.pricelist.item", "xero.product.doorbell"]

    def _xero_note(self):
        return super(ProductPricelistItem, self.filtered(lambda rule: rule.compute_price == "fixed"))._xero_note()


class ProductTemplateAttributeValue(models.Model):
    _inherit = "product.template.attribute.value"

    def write(self, vals):
        result = super().write(vals)
        if "price_extra" in vals:
            self.env["xero.product.change"].sudo()._note(_variants(self.product_tmpl_id).ids)
        return result


class ProductAttributeValue(models.Model):
    _inherit = "product.attribute.value"

    def write(self, vals):
        result = super().write(vals)
        if "name" in vals:
            # Variants are told by their attributes.
            templates = self.env["product.template"].sudo().search([("attribute_line_ids.value_ids", "in", self.ids)])
            self.env["xero.product.change"].sudo()._note(_variants(templates).ids)
        return result


class AccountTax(models.Model):
    _inherit = "account.tax"

    def write(self, vals):
        result = super().write(vals)
        if {"amount", "amount_type", "price_include_override"} & set(vals):
            # What a price is without tax, or with it.
            products = self.env["product.product"].sudo().search([("taxes_id", "in", self.ids)])
            self.env["xero.product.change"].sudo()._note(products.ids)
        return result


def _variants(templates):
    return templates.with_context(active_test=False).product_variant_ids
