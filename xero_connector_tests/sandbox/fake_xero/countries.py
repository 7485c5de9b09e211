"""What a new organisation starts with: chart of accounts, tax rates, address habits by country."""
from typing import NamedTuple


class Tax(NamedTuple):
    """A tax rate: percent, and whether it suits revenue and expense accounts."""

    name: str
    tax_type: str
    rate: float
    revenue: bool
    expenses: bool


TAX_RATES = {
    "NZ": [Tax("15% GST on Income", "OUTPUT2", 15.0, True, False),
           Tax("15% GST on Expenses", "INPUT2", 15.0, False, True),
           Tax("Zero Rated", "ZERORATED", 0.0, True, True), Tax("No GST", "NONE", 0.0, True, True)],
    "AU": [Tax("GST on Income", "OUTPUT", 10.0, True, False), Tax("GST on Expenses", "INPUT", 10.0, False, True),
           Tax("GST Free Income", "EXEMPTOUTPUT", 0.0, True, False), Tax("BAS Excluded", "NONE", 0.0, True, True)],
    "GB": [Tax("20% (VAT on Income)", "OUTPUT2", 20.0, True, False),
           Tax("20% (VAT on Expenses)", "INPUT2", 20.0, False, True),
           Tax("5% (VAT on Income)", "RROUTPUT", 5.0, True, False),
           Tax("Zero Rated Income", "ZERORATEDOUTPUT", 0.0, True, False), Tax("No VAT", "NONE", 0.0, True, True)],
    "US": [Tax("Sales Tax on Imports", "GSTONIMPORTS", 0.0, False, True), Tax("Sales Tax", "OUTPUT", 8.25, True, False),
           Tax("Tax on Purchases", "INPUT", 8.25, False, True), Tax("Tax Exempt", "NONE", 0.0, True, True)],
}
COUNTRY_NAMES = {"NZ": "New Zealand", "AU": "Australia", "GB": "United Kingdom", "US": "United States"}
TIMEZONES = {"NZ": "NEWZEALANDSTANDARDTIME", "AU": "AUSEASTERNSTANDARDTIME", "GB": "GMTSTANDARDTIME",
             "US": "EASTERNSTANDARDTIME"}
CURRENCY_NAMES = {"NZD": "New Zealand Dollar", "AUD": "Australian Dollar", "GBP": "British Pound",
                  "USD": "United States Dollar", "EUR": "Euro"}

# code, name, type, class, status; the tax type follows from the class
ACCOUNTS = [
    ("090", "Business Bank Account", "BANK", "ASSET", "ACTIVE"),
    ("200", "Sales", "REVENUE", "REVENUE", "ACTIVE"),
    ("260", "Other Revenue", "REVENUE", "REVENUE", "ACTIVE"),
    ("270", "Interest Income", "REVENUE", "REVENUE", "ACTIVE"),
    ("299", "Sales before 2020", "REVENUE", "REVENUE", "ARCHIVED"),
    ("310", "Cost of Goods Sold", "DIRECTCOSTS", "EXPENSE", "ACTIVE"),
    ("400", "Advertising", "EXPENSE", "EXPENSE", "ACTIVE"),
    ("425", "Freight & Courier", "EXPENSE", "EXPENSE", "ACTIVE"),
    ("610", "Accounts Receivable", "CURRENT", "ASSET", "ACTIVE"),
    ("630", "Inventory", "INVENTORY", "ASSET", "ACTIVE"),
    ("800", "Accounts Payable", "CURRLIAB", "LIABILITY", "ACTIVE"),
    ("820", "GST", "CURRLIAB", "LIABILITY", "ACTIVE"),
]


def tax_rates(country):
    """The tax rates of a country, New Zealand's when it is unknown."""
    return TAX_RATES.get(country, TAX_RATES["NZ"])


def default_tax(country, sales):
    """The tax type an organisation of this country puts on sales, or on purchases."""
    return next(tax.tax_type for tax in tax_rates(country) if tax.rate and (tax.revenue if sales else tax.expenses))
