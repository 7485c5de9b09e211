import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";
import { choose, onPage, openEntry, openSection, openTab } from "./steps";

const tours = registry.category("web_tour.tours");

const openXero = (xmlid, title) => [
    ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
    ...openSection(xmlid, title),
];
const openConnection = () => [
    ...openXero("xero_connector.menu_connections", "Connections"),
    { trigger: ".o_data_row td[name=name]:contains('Kiwi Outdoor')", run: "click" },
    ...onPage("Kiwi Outdoor"),
];
const press = (name) => ({ trigger: `button[name=${name}]:enabled`, run: "click" });
const pick = (field, label) => [
    { trigger: `[name=${field}] .o_radio_item:has(label:text("${label}")) input`, run: "click" },
    { trigger: `[name=${field}] .o_radio_item:has(label:text("${label}")) input:checked` },
];
const saved = () => [
    { trigger: ".o_form_button_save:visible", run: "click" },
    { trigger: ".o_form_view:not(:has(.o_form_button_save:visible))" },
];
const map = (ours, theirs) => [
    { trigger: `.o_data_row:contains("${ours}") td[name=line_id]`, run: "click" },
    ...choose(".o_selected_row", "line_id", theirs),
    { trigger: ".o_list_button_save:visible", run: "click" },
    { content: "What is mapped leaves the list", trigger: ".o_list_view:not(:has(.o_selected_row))" },
];
const ROW = ".o_list_view .o_data_row";

tours.add("xero_accounts_sources", {
    steps: () => [
        ...openConnection(),
        ...openTab("export"),
        ...pick("export_source", "Confirmed sale orders"),
        ...pick("invoice_mode", "An invoice of its own"),
        ...pick("refund_mode", "A credit note for the difference"),
        { content: "Who bills from Odoo has Odoo's prices", trigger: "[name=price_source] :value('Odoo')" },
        ...saved(),
        ...openTab("accounts"),
        press("action_read_tables"),
        { trigger: ".o_notification:contains('12 accounts')" },
        ...openConnection(),
        ...openTab("accounts"),
        press("action_view_accounts"),
        ...map("Sales of goods", "200 Sales"),
        ...openConnection(),
        ...openTab("taxes"),
        press("action_view_taxes"),
        ...map("GST 15%", "15% GST on Income"),
    ],
});

tours.add("xero_accounts_send", {
    steps: () => [
        { trigger: ".o_list_view .o_data_row:contains('Aroha Ltd') td[name=name]", run: "click" },
        { trigger: "button[name=action_xero_preview]:visible", run: "click" },
        { trigger: ".oe_title:contains('What Xero would get of')" },
        { trigger: "[name=xero_total]:contains('115.00')" },
        { trigger: "[name=line_ids] .o_data_row td[name=unit_amount]", run: "click" },
        { trigger: ".o_selected_row [name=unit_amount] input", run: "edit 22" },
        { trigger: ".o_selected_row [name=description] textarea", run: "edit Drink bottle, engraved" },
        { trigger: "[name=xero_total]:contains('126.50')" },
        { trigger: ".alert-info:contains('11.50 apart')" },
        { trigger: "button[name=action_send]:visible", run: "click" },
        { trigger: ".o_notification:contains('sent to Xero within a minute')" },
        ...onPage("Sent to Xero"),
        { trigger: `${ROW}:contains('Aroha Ltd') td[name=state]:contains('Waiting')` },
    ],
});

tours.add("xero_accounts_reduce", {
    steps: () => [
        ...openXero("xero_connector.menu_outgoing", "Sent to Xero"),
        { trigger: `${ROW} td[name=xero_url] a[href*=InvoiceID]` },
        { trigger: `${ROW} td[name=xero_number]:contains('INV-0001')`, run: "click" },
        { trigger: "[name=total_difference]:contains('11.50')" },
        { trigger: "[name=intended_difference]:contains('11.50')" },
        { trigger: "button[name=action_open_document]", run: "click" },
        { trigger: "button[name=action_xero_out_rows]:contains('INV-0001')" },
        ...openTab("xero_export"),
        { trigger: "[name=xero_export_status]:contains('Awaiting payment')" },
        { trigger: "[name=xero_export_url] a[href*=InvoiceID]" },
        ...openTab("order_lines"),
        { trigger: "[name=order_line] .o_data_row td[name=product_uom_qty]", run: "click" },
        { trigger: ".o_selected_row [name=product_uom_qty] input", run: "edit 3" },
        ...saved(),
    ],
});

tours.add("xero_accounts_credited", {
    steps: () => [
        ...openXero("xero_connector.menu_outgoing", "Sent to Xero"),
        { trigger: `${ROW} td[name=reason]:contains('Allocated to invoice INV-0001')` },
        { trigger: `${ROW} td[name=xero_number]:contains('CN-0001')`, run: "click" },
        { trigger: "[name=allocated]:contains('50.60')" },
        { trigger: "[name=xero_url] a[href*=ViewCreditNote]" },
        { trigger: "[name=invoice_row_id] a", run: "click" },
        { content: "The invoice it is allocated to", trigger: "[name=xero_number]:contains('INV-0001')" },
        { trigger: "[name=amount_due]:contains('75.90')" },
        ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
        ...openEntry("xero_connector.menu_reporting", "xero_connector.menu_drift", "Compare with Xero"),
        { trigger: "button:contains('Compare'):visible", run: "click" },
        { trigger: ".modal button[name=action_compare]", run: "click" },
        { trigger: ".o_data_row:contains('BY-HAND'):contains('Made in Xero')" },
    ],
});
