import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";
import { filterBy, openEntry, openPdf, openTab, searchFor } from "./steps";

const tours = registry.category("web_tour.tours");

const WHY = [
    ...openTab("xero"),
    { trigger: "[name=xero_route_reason]:contains('The reference “order GC 7” contains “GC”: Gold Coast.')" },
    { trigger: "[name=xero_connection_id]:contains('Kiwi Outdoor')" },
    { trigger: "[name=xero_mapping_id]:contains('GC')" },
    { trigger: "[name=xero_invoice_number]:contains('INV-GC')" },
];
const PDF = "button.oe_stat_button[name=action_xero_pdf]:contains('INV-GC')";

tours.add("xero_picker", {
    steps: () => [
        ...stepUtils.goToAppSteps("stock.menu_stock_root", "Open the inventory"),
        ...openEntry("stock.menu_stock_warehouse_mgmt", "stock.out_picking", "Deliveries"),
        { trigger: ".o_list_view .o_data_row:contains('Other delivery')" },
        ...searchFor("INV-GC", "Xero invoice"),
        { trigger: ".o_list_view:not(:has(.o_data_row:contains('Other delivery')))" },
        { trigger: ".o_list_view .o_data_cell:contains('Aroha Ltd')", run: "click" },
        { trigger: ".alert-info [name=delivery_instructions] textarea:value('Leave with the neighbour')" },
        ...WHY,
        ...openPdf(PDF),
    ],
});

tours.add("xero_order", {
    steps: () => [
        { trigger: ".o_list_view .o_data_row:contains('Order by hand')" },
        ...filterBy("From Xero"),
        { trigger: ".o_list_view:not(:has(.o_data_row:contains('Order by hand')))" },
        { trigger: ".o_list_view .o_data_cell:contains('Aroha Ltd')", run: "click" },
        ...WHY,
        { trigger: "[name=delivery_instructions] textarea:value('Leave with the neighbour')" },
        ...openPdf(PDF),
    ],
});
