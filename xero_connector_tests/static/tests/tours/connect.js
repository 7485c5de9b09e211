import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";
import { CARD, CARD_NAME, choose, filterBy, onPage, openEntry, openSection, openTab } from "./steps";

const tours = registry.category("web_tour.tours");
const LIST_ROW = ".o_list_view .o_data_row:has(td[name=name]:text('Kiwi Outdoor'))";
const FAILED_ROW = ".o_list_view .o_data_row:has(td[name=number]:text('INV-FAILS'))";

const atStep = (label) => ({ trigger: `.o_statusbar_status .o_arrow_button_current:text('${label}')` });
const press = (name) => ({ trigger: `button[name=${name}]:enabled`, run: "click" });
const stateIs = (label) => ({ trigger: `.o_field_widget[name=state] .o_arrow_button_current:text('${label}')` });

tours.add("xero_connect", {
    steps: () => [
        ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
        ...onPage("Dashboard"),
        press("action_setup_new"),
        atStep("Initial configuration"),
        { trigger: ".o_field_widget[name=name] input", run: "edit Kiwi Outdoor" },
        ...choose(".o_form_view", "app_id", "Test app"),
        press("action_setup_next"),
        atStep("Authentication"),
        { trigger: "h2:contains('Not connected yet')" },
        {
            content: "The address to register at Xero can be copied",
            trigger: "[name=redirect_uri]:contains('/xero/oauth/callback'):has(.o_clipboard_button)",
        },
        {
            content: "Odoo sends us to Xero, where Allow is pressed, and Xero sends us back into the set-up",
            trigger: "button[name=action_connect]:contains('Connect to Xero')",
            run: "click",
            expectUnloadPage: true,
        },
        { trigger: "h2:contains('Connected to Org '):has([name=status_dot].text-success)" },
        press("action_setup_next"),
        atStep("Configuration"),
        {
            content: "No warehouse is chosen for us",
            trigger: ".o_inner_group [name=warehouse_id] input",
            run() {
                if (this.anchor.value) {
                    throw new Error(`${this.anchor.value} was chosen`);
                }
            },
        },
        ...choose(".o_inner_group", "warehouse_id", "Brisbane"),
        { trigger: "[name=mapping_ids] .o_field_x2many_list_row_add a", run: "click" },
        { trigger: ".o_selected_row [name=reference_contains] input", run: "edit GC" },
        ...choose(".o_selected_row", "warehouse_id", "Gold Coast"),
        { trigger: "[name=order_confirm] input", run: "check" },
        press("action_setup_next"),
        atStep("Test order"),
        press("action_test_order"),
        {
            trigger: ".modal .o_data_row:contains('INV-TESTED') button[name=action_show]",
            run: "click",
        },
        { trigger: ".modal [name=warehouse]:contains('Gold Coast')" },
        { trigger: ".modal .o_data_row:contains('Drink bottle')" },
        { trigger: ".modal footer button:contains('Close')", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        press("action_setup_finish"),
        stateIs("Connected"),
        { trigger: "[name=tenant_name]:contains('Org ')" },
        { trigger: "body:not(:has(button[name=action_connect]))" },
        ...openSection("xero_connector.menu_connections", "Connections"),
        { trigger: `${LIST_ROW} td[name=status_dot].text-success:text('●')` },
    ],
});

tours.add("xero_lifecycle", {
    steps: () => [
        ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
        { trigger: CARD_NAME, run: "click" },
        press("action_pause"),
        stateIs("Paused"),
        press("action_resume"),
        stateIs("Connected"),
        ...openTab("connection"),
        press("action_disconnect"),
        { trigger: ".modal:contains('Settings, orders and log stay')" },
        { trigger: ".modal footer button.btn-primary", run: "click" },
        stateIs("Not connected"),
        ...openTab("warehouse"),
        { trigger: ".o_form_view:has([name=reference_contains]:contains('GC'))" },
        {
            trigger: "button[name=action_connect]:contains('Connect to Xero')",
            run: "click",
            expectUnloadPage: true,
        },
        stateIs("Connected"),
        press("action_setup"),
        atStep("Initial configuration"),
        { trigger: ".o_field_widget[name=name] input", run: "edit Kiwi Outdoor renamed" },
        press("action_setup_next"),
        atStep("Authentication"),
        press("action_setup_next"),
        atStep("Configuration"),
        press("action_setup_back"),
        atStep("Authentication"),
        press("action_setup_next"),
        atStep("Configuration"),
        press("action_setup_next"),
        atStep("Test order"),
        press("action_setup_finish"),
        stateIs("Connected"),
        { trigger: ".o_field_widget[name=name] input:value('Kiwi Outdoor renamed')" },
    ],
});

tours.add("xero_choose", {
    steps: () => [
        ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
        { trigger: CARD_NAME, run: "click" },
        { trigger: ".alert-danger:contains('Several organisations were granted')" },
        press("action_choose_organisation"),
        { trigger: ".modal .o_data_row:contains('Also granted') button[name=action_choose]", run: "click" },
        stateIs("Connected"),
        { trigger: "[name=tenant_name]:contains('Also granted')" },
    ],
});

tours.add("xero_mend", {
    steps: () => [
        ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
        { trigger: `${CARD}:contains('Connected'):contains('3 today, 3 in all'):contains('1 today, 1 in all')` },
        ...openSection("xero_connector.menu_connections", "Connections"),
        { trigger: `${LIST_ROW} td[name=status_dot].text-success:text('●')` },
        { trigger: `${LIST_ROW} td[name=done_count]:text('3')` },
        { trigger: `${LIST_ROW} td[name=failed_count].text-danger:text('1')` },
        ...openEntry("xero_connector.menu_reporting", "xero_connector.menu_log", "Sync log"),
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
        { trigger: `${CARD}:contains('4 today, 4 in all')` },
        ...openSection("xero_connector.menu_connections", "Connections"),
        { trigger: `${LIST_ROW} td[name=done_count]:text('4')` },
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
