import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";
import { choose, filterBy, onPage, openSection, openTab } from "./steps";

const tours = registry.category("web_tour.tours");
const LIST_ROW = ".o_list_view .o_data_row:has(td[name=name]:text('Kiwi Outdoor'))";
const FAILED_ROW = ".o_list_view .o_data_row:has(td[name=number]:text('INV-FAILS'))";

tours.add("xero_connect", {
    steps: () => [
        ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
        ...onPage("Connections"),
        { trigger: ".o_list_button_add", run: "click" },
        { trigger: ".o_field_widget[name=name] input", run: "edit Kiwi Outdoor" },
        ...choose(".o_form_view", "app_id", "Test app"),
        { trigger: "[name=mapping_ids] .o_field_x2many_list_row_add a", run: "click" },
        { trigger: ".o_selected_row [name=reference_contains] input", run: "edit GC" },
        ...choose(".o_selected_row", "warehouse_id", "Gold Coast"),
        ...openTab("orders"),
        { trigger: "[name=order_confirm] input", run: "check" },
        ...stepUtils.saveForm(),
        {
            content: "Odoo sends us to Xero, where Allow is pressed, and Xero sends us back",
            trigger: "button[name=action_connect]:contains('Connect to Xero')",
            run: "click",
            expectUnloadPage: true,
        },
        { trigger: ".o_statusbar_status .o_arrow_button_current:text('Connected')" },
        { trigger: "[name=tenant_name]:contains('Org ')" },
        { trigger: "body:not(:has(button[name=action_connect]))" },
        { trigger: ".o_breadcrumb a:contains('Connections'), .o_back_button", run: "click" },
        { trigger: `${LIST_ROW} td[name=status_dot].text-success:text('●')` },
    ],
});

tours.add("xero_mend", {
    steps: () => [
        ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
        { trigger: `${LIST_ROW} td[name=status_dot].text-success:text('●')` },
        { trigger: `${LIST_ROW} td[name=done_count]:text('2')` },
        { trigger: `${LIST_ROW} td[name=failed_count].text-danger:text('1')` },
        ...openSection("xero_connector.menu_log", "Sync log"),
        ...filterBy("Failed"),
        { trigger: ".o_list_view:not(:has(.o_data_row:contains('INV-COMES')))" },
        { trigger: `${FAILED_ROW} td[name=reason]:contains('GLASS')`, run: "click" },
        { trigger: ".alert-danger [name=reason]:contains('No product has the internal reference “GLASS”')" },
        { content: "The connection is where it is mended", trigger: "[name=connection_id] a", run: "click" },
        ...onPage("Kiwi Outdoor"),
        ...openTab("products"),
        { trigger: "[name=product_mapping_ids] .o_field_x2many_list_row_add a", run: "click" },
        { trigger: ".o_selected_row [name=item_code] input", run: "edit GLASS" },
        ...choose(".o_selected_row", "product_id", "Tumbler"),
        ...stepUtils.saveForm(),
        { trigger: ".o_breadcrumb a:contains('INV-FAILS'), .o_back_button", run: "click" },
        { trigger: "button[name=action_retry]", run: "click" },
        { trigger: ".o_statusbar_status .o_arrow_button_current:text('Waiting')" },
        { trigger: ".o_form_view:not(:has([name=reason]:contains('GLASS')))" },
    ],
});

tours.add("xero_mended", {
    steps: () => [
        ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
        { trigger: `${LIST_ROW} td[name=done_count]:text('3')` },
        { trigger: `${LIST_ROW} td[name=failed_count]:text('0')`, run: "click" },
        {
            content: "The figures lead to the log",
            trigger: "button[name=action_view_records]:has([name=done_count])",
            run: "click",
        },
        { trigger: ".o_list_view:not(:has(td[name=tenant_name]))" },
        { trigger: `${FAILED_ROW} td[name=state] .text-bg-success:text('Done')`, run: "click" },
        { trigger: "button[name=action_open_document]", run: "click" },
        { trigger: ".o_field_widget[name=order_line] .o_data_row:contains('Tumbler')" },
        { trigger: ".o_statusbar_status .o_arrow_button_current:text('Sales Order')" },
        ...openTab("xero"),
        { trigger: "[name=xero_invoice_number]:contains('INV-FAILS')" },
    ],
});
