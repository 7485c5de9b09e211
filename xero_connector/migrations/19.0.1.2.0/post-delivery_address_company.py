def migrate(cr, version):
    """Delivery addresses made for Xero's orders had no company, so all companies could read them: now they belong where
    their customer does."""
    cr.execute(
        """
        UPDATE res_partner address
           SET company_id = customer.company_id
          FROM res_partner customer
         WHERE customer.id = address.parent_id AND customer.company_id IS NOT NULL
           AND address.company_id IS NULL AND address.type = 'delivery'
           AND (EXISTS (SELECT 1 FROM sale_order
                         WHERE partner_shipping_id = address.id AND xero_invoice_id IS NOT NULL)
                OR EXISTS (SELECT 1 FROM stock_picking
                            WHERE partner_id = address.id AND xero_invoice_id IS NOT NULL))
        """
    )
