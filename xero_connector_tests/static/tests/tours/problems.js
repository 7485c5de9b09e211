import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";
import { CARD_NAME, choose, filterBy, onPage, openEntry, openPdf, openSection, openTab, searchFor } from "./steps";

const tours = registry.category("web_tour.tours");

const PROBLEM = ".o_list_view .o_data_row:contains('GLASS')";
const HOLD = ".alert-warning:has([name=xero_hold])";
const DECIDED = ".o_form_view:not(:has(button[name=action_xero_keep]))";

tours.add("xero_accountant", {
    steps: () => [
        ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
        ...openSection("xero_connector.menu_problems", "Problems"),
        { trigger: `${PROBLEM} td[name=record_count]:text('3')` },
        { trigger: `${PROBLEM} button[name=action_mend]`, run: "click" },
        { trigger: ".modal .modal-title:contains('Which product is “GLASS”?')" },
        { trigger: ".modal [name=description]:contains('GLASS from Xero')" },
        ...choose(".modal", "product_id", "Tumbler"),
        { trigger: ".modal button[name=action_confirm]:contains('3')", run: "click" },
        { trigger: ".o_notification:contains('Documents tried again within a minute: 3')" },
        { trigger: "body:not(:has(.modal))" },
        { trigger: `.o_action_manager:not(:has(${PROBLEM}))` },
    ],
});

tours.add("xero_picker_released", {
    steps: () => [
        ...stepUtils.goToAppSteps("stock.menu_stock_root", "Open the inventory"),
        ...openEntry("stock.menu_stock_warehouse_mgmt", "stock.out_picking", "Deliveries"),
        ...searchFor("INV-FAILED-1", "Xero invoice"),
        { content: "The list is narrowed down", trigger: ".o_list_view:not(:has(.o_data_row + .o_data_row))" },
        { trigger: ".o_list_view .o_data_cell:contains('Aroha Ltd')", run: "click" },
        { trigger: ".alert-info [name=delivery_instructions] textarea:value('Leave with the neighbour')" },
        { trigger: "[name=move_ids] .o_data_row:contains('Tumbler')" },
        ...openPdf("button.oe_stat_button[name=action_xero_pdf]:contains('INV-FAILED-1')"),
    ],
});

tours.add("xero_decide", {
    steps: () => [
        ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
        ...openSection("xero_connector.menu_problems", "Problems"),
        ...filterBy("Decisions"),
        { trigger: ".o_data_row:contains('INV-GC') button[name=action_mend]", run: "click" },
        { trigger: `${HOLD}:contains('BOTTLE: quantity 2 → 5')` },
        { trigger: `${HOLD} button[name=action_xero_apply]`, run: "click" },
        { trigger: DECIDED },
        { trigger: ".o_field_widget[name=order_line] .o_data_row:contains('5.00')" },
        ...openTab("xero"),
        { trigger: "[name=xero_change]:contains('BOTTLE: quantity 2 → 5')" },
        { trigger: "button[name=action_xero_undo]", run: "click" },
        { trigger: ".modal .btn-primary", run: "click" },
        { trigger: "[name=xero_change]:contains('was taken back')" },
    ],
});

tours.add("xero_picker_stopped", {
    steps: () => [
        ...stepUtils.goToAppSteps("stock.menu_stock_root", "Open the inventory"),
        ...openEntry("stock.menu_stock_warehouse_mgmt", "stock.out_picking", "Deliveries"),
        ...searchFor("INV-GC", "Xero invoice"),
        { trigger: ".o_list_view .o_data_cell:contains('Aroha Ltd')", run: "click" },
        { trigger: `${HOLD}:contains('voided in Xero')` },
        { trigger: "button[name=button_validate]:visible", run: "click" },
        { trigger: ".modal:contains('must not go out')" },
        { trigger: ".modal .btn-primary", run: "click" },
        { trigger: `${HOLD} button[name=action_xero_cancel]`, run: "click" },
        { trigger: ".modal .btn-primary", run: "click" },
        { trigger: DECIDED },
        { trigger: ".o_statusbar_status .o_arrow_button_current:text('Cancelled')" },
    ],
});

tours.add("xero_by_hand", {
    steps: () => [
        ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
        { trigger: CARD_NAME, run: "click" },
        ...onPage("Kiwi Outdoor"),
        { trigger: "button[name=action_import_one]", run: "click" },
        { trigger: ".modal [name=text] input", run: "edit INV-NONE" },
        { trigger: ".modal button[name=action_import]", run: "click" },
        { trigger: ".modal:contains('has no invoice INV-NONE') .btn-primary", run: "click" },
        { trigger: ".modal [name=text] input", run: "edit INV-ONE" },
        { trigger: ".modal button[name=action_import]", run: "click" },
        { trigger: ".modal .alert-success:contains('No rule matches, so the default warehouse')" },
        { trigger: ".modal .modal-footer button[special=cancel], .modal .modal-footer button:contains('Close')", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        ...openTab("orders"),
        { trigger: ".tab-pane.active button[name=action_backfill]", run: "click" },
        { trigger: ".modal button[name=action_estimate]", run: "click" },
        { trigger: ".modal .alert-info:contains('2 invoices, 1 of them new here')" },
        { trigger: ".modal button[name=action_start]", run: "click" },
        { content: "How far it is", trigger: ".alert-info [name=backfill_text]:contains('invoices')" },
    ],
});
