import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";
import { CARD_NAME, choose, filterBy, onPage, openSection, openTab } from "./steps";

const tours = registry.category("web_tour.tours");

const row = (code) => `.o_list_view .o_data_row:has(td[name=item_code]:text('${code}'))`;
const press = (name) => ({ trigger: `button[name=${name}]:enabled`, run: "click" });
const tick = (code) => ({ trigger: `${row(code)} .o_list_record_selector input`, run: "click" });
const told = (text) => [
    { trigger: `.o_notification:contains('${text}')` },
    { trigger: ".o_notification_close", run: "click" },
    { trigger: "body:not(:has(.o_notification))" },
];

tours.add("xero_products", {
    steps: () => [
        ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
        { trigger: CARD_NAME, run: "click" },
        ...onPage("Kiwi Outdoor"),
        ...openTab("products"),
        { trigger: "[name=item_sync] input:value('No')" },
        { trigger: ".tab-pane.active button[name=action_exchange_items]", run: "click" },
        ...told("Xero's items are being read"),
    ],
});

tours.add("xero_products_map", {
    steps: () => [
        ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
        { trigger: CARD_NAME, run: "click" },
        { trigger: "button.oe_stat_button:contains('Unmapped'):contains('3')", run: "click" },
        { content: "Only what is only in Xero", trigger: ".o_searchview_facet:contains('Only in Xero')" },
        { trigger: `${row("X-1")} td[name=waiting_count]:text('2')` },
        { content: "The product of an item is chosen in its line", trigger: `${row("X-1")} td[name=product_id]`, run: "click" },
        ...choose(".o_selected_row", "product_id", "Reading lamp"),
        { trigger: ".o_list_button_save:visible", run: "click" },
        { trigger: `${row("X-1")} td[name=status]:contains('Mapped')` },
        { trigger: `${row("X-1")} button[name=action_release]`, run: "click" },
        ...told("Documents tried again within a minute: 2"),
        { trigger: `.o_list_view:not(:has(.o_data_row td[name=item_code]:text('X-1')))` },
        { trigger: `${row("TUMBLER 01")} td[name=suggestion_id]:contains('Tumbler')` },
        { trigger: `${row("TUMBLER 01")} td[name=suggestion_score]:contains('100')` },
        tick("TUMBLER 01"),
        press("action_accept"),
        ...told("Items mapped: 1"),
        { trigger: `${row("CHAIR")} .o_list_record_selector input`, run: "click" },
        press("action_create_here"),
        ...told("Products created: 1"),
        { content: "Nothing is left that is only in Xero", trigger: ".o_list_view:not(:has(.o_data_row))" },
        { trigger: ".o_searchview_facet:contains('Only in Xero') .o_facet_remove", run: "click" },
        ...filterBy("Mapped"),
        { trigger: `${row("CHAIR")} td[name=product_id]:contains('Chair')` },
        { content: "A mapping is undone where it was made", trigger: `${row("CHAIR")} button[name=action_unmap]`, run: "click" },
        { trigger: `.o_list_view:not(:has(.o_data_row td[name=item_code]:text('CHAIR')))` },
    ],
});

tours.add("xero_product_form", {
    steps: () => [
        ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
        ...openSection("xero_connector.menu_products", "Products"),
        ...filterBy("Only in Odoo"),
        { trigger: ".o_data_row:contains('Garden bench') button[name=action_map]", run: "click" },
        ...choose(".modal", "record_id", "BENCH"),
        { trigger: ".modal button[name=action_confirm]", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        { trigger: ".o_list_view:not(:has(.o_data_row:contains('Garden bench')))" },
    ],
});
