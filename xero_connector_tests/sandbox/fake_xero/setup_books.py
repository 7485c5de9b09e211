"""What every organisation has from the first day: accounts, taxes, currency, theme, a user."""
from . import countries
from .formats import wire_date, wire_instant
from .store import new_id

ACTIONS = ("AttachmentsRead", "AttachmentsWrite", "CreateAndEditDraftInvoices", "CreateApprovedInvoices",
           "CreateCreditNotes", "UseMulticurrency")


def open_books(organisation, extra):
    """Fill the tables of settings; `extra` overrides fields of /Organisation."""
    now = organisation.clock.now()
    country = organisation.country
    organisation.store("Organisations", {
        "OrganisationID": organisation.tenant_id, "Name": organisation.name, "LegalName": organisation.name,
        "PaysTax": True, "Version": country if country in ("NZ", "AU", "US") else "UK", "OrganisationType": "COMPANY",
        "BaseCurrency": organisation.currency, "CountryCode": country, "IsDemoCompany": False,
        "OrganisationStatus": "ACTIVE", "FinancialYearEndDay": 31, "FinancialYearEndMonth": 3,
        "SalesTaxBasis": "ACCRUALS", "SalesTaxPeriod": "TWOMONTHS", "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Exclusive", "CreatedDateUTC": wire_instant(now),
        "OrganisationEntityType": "COMPANY", "Timezone": countries.TIMEZONES.get(country, "UTC"),
        "ShortCode": f"!{organisation.tenant_id[:5]}", "Edition": "BUSINESS", "Class": "STANDARD", "Addresses": [],
        "Phones": [], "ExternalLinks": [], "PaymentTerms": {}, **extra})
    for tax in countries.tax_rates(country):
        organisation.store("TaxRates", {
            "Name": tax.name, "TaxType": tax.tax_type, "ReportTaxType": "OUTPUT" if tax.revenue else "INPUT",
            "CanApplyToAssets": True, "CanApplyToEquity": True, "CanApplyToExpenses": tax.expenses,
            "CanApplyToLiabilities": True, "CanApplyToRevenue": tax.revenue, "DisplayTaxRate": tax.rate,
            "EffectiveRate": tax.rate, "Status": "ACTIVE",
            "TaxComponents": [{"Name": "Tax", "Rate": tax.rate, "IsCompound": False, "IsNonRecoverable": False}]})
    for code, name, kind, group, status in countries.ACCOUNTS:
        tax_type = organisation.default_tax(group == "REVENUE") if group in ("REVENUE", "EXPENSE") else "NONE"
        account = {"AccountID": new_id(), "Code": code, "Name": name, "Status": status, "Type": kind,
                   "TaxType": tax_type, "Class": group, "EnablePaymentsToAccount": False,
                   "ShowInExpenseClaims": False, "ReportingCode": "", "HasAttachments": False, "UpdatedDateUTC": ""}
        if kind == "BANK":
            account.update(BankAccountNumber="0209087654321050", BankAccountType="BANK",
                           CurrencyCode=organisation.currency)
        organisation.store("Accounts", account)
    subscribe(organisation, organisation.currency)
    organisation.store("BrandingThemes", {"BrandingThemeID": new_id(), "Name": "Standard", "SortOrder": 0,
                                          "CreatedDateUTC": wire_instant(now)})
    organisation.store("TrackingCategories", {"Name": "Region", "Status": "ACTIVE", "TrackingCategoryID": new_id(),
                                              "Options": []})
    organisation.store("Users", {"UserID": new_id(), "EmailAddress": "sam.porter@example.com", "FirstName": "Sam",
                                 "LastName": "Porter", "UpdatedDateUTC": "", "IsSubscriber": True,
                                 "OrganisationRole": "STANDARD"})


def subscribe(organisation, *currencies):
    """Let the organisation use these currencies."""
    for code in currencies:
        organisation.store("Currencies", {"Code": code, "Description": countries.CURRENCY_NAMES.get(code, code)})


def lock_books(organisation, period=None, end_of_year=None):
    """Set the lock dates (dates; None leaves one alone)."""
    changes = {"PeriodLockDate": period, "EndOfYearLockDate": end_of_year}
    organisation.update("Organisations", organisation.tenant_id,
                        **{key: wire_date(day) for key, day in changes.items() if day})
