"""From a Xero line's amounts to an order line's unit price that ends on the same cent."""

from decimal import ROUND_HALF_UP, Decimal

from . import formats

_DISCOUNT_STEP = Decimal("0.01")
_PRICE_STEP = Decimal("1e-10")


def unit_price(line, tax_inclusive, wants_tax_included, rate):
    """Unit price and discount of an order line.

    Xero's own unit price is kept, converted between with and without tax by the tax's own rate: a ratio of rounded
    amounts would be a cent off where Odoo computes the tax from the price. Where the price would end on another cent
    than Xero's line (another rate, a discount in money), it is derived from the line's amount instead.

    :param XeroLine line: the line
    :param bool tax_inclusive: whether the invoice's amounts contain tax
    :param bool wants_tax_included: whether the taxes of the order line are included in its price
    :param Decimal rate: of these taxes together, 0.15 for 15 %
    :return: ``(price_unit, discount)`` as Decimals, discount in percent with two decimals
    """
    net, gross = line.amounts(tax_inclusive)
    wanted = gross if wants_tax_included else net
    discount = line.discount_rate.quantize(_DISCOUNT_STEP, rounding=ROUND_HALF_UP)
    rest = 1 - discount / 100
    price = line.unit_amount
    if tax_inclusive and not wants_tax_included:
        price /= 1 + rate
    elif wants_tax_included and not tax_inclusive:
        price *= 1 + rate
    price = price.quantize(_PRICE_STEP)
    if line.quantity and rest and formats.cents(price * line.quantity * rest) != formats.cents(wanted):
        price = (wanted / (line.quantity * rest)).quantize(_PRICE_STEP)
    return price, discount
