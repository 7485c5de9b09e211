import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";
import { CARD_NAME, choose } from "./steps";

const RULES = "[name=mapping_ids] .o_data_row";
const SHADOWED = `${RULES}:has(td[name=reference_contains]:text('GC-EXPRESS'))`;

registry.category("web_tour.tours").add("xero_rules", {
    steps: () => [
        ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
        { trigger: CARD_NAME, run: "click" },
        { trigger: "[name=mapping_ids] .o_field_x2many_list_row_add a", run: "click" },
        { trigger: ".o_selected_row [name=reference_contains] input", run: "edit GC-EXPRESS" },
        ...choose(".o_selected_row", "warehouse_id", "Brisbane"),
        { trigger: ".o_form_view .oe_title", run: "click" },
        {
            content: "The new rule never gets a turn: that and why is said before it is saved",
            trigger: `.o_form_dirty ${SHADOWED}.text-warning td[name=shadowed_by_id]:text('GC')`,
        },
        ...stepUtils.saveForm(),
        { trigger: `${SHADOWED}.text-warning td[name=shadowed_by_id]:text('GC')` },
        { trigger: `${SHADOWED} button[name=action_move_up]`, run: "click" },
        { trigger: `${RULES}:eq(1):has(td[name=reference_contains]:text('GC-EXPRESS')).text-warning` },
        { trigger: `${SHADOWED} button[name=action_move_up]`, run: "click" },
        { trigger: `${RULES}:eq(0):has(td[name=reference_contains]:text('GC-EXPRESS'))` },
        { trigger: `${RULES}:eq(1):has(td[name=reference_contains]:text('GC'))` },
        { trigger: `[name=mapping_ids]:not(:has(.text-warning))` },
        { trigger: `${SHADOWED} td[name=shadowed_by_id]:empty` },

        { trigger: "button[name=action_try]", run: "click" },
        { trigger: ".modal [name=reference] input", run: "edit order gc-express 7 && press Tab" },
        { trigger: ".modal [name=warehouse_id]:contains('Brisbane')" },
        { trigger: ".modal [name=explanation]:contains('contains “GC-EXPRESS”')" },
        { trigger: ".modal [name=reference] input", run: "edit gc 8 && press Tab" },
        { trigger: ".modal [name=warehouse_id]:contains('Gold Coast')" },
        { trigger: ".modal [name=reference] input", run: "edit pick-up && press Tab" },
        { trigger: ".modal [name=explanation]:contains('do not import')" },
        { trigger: ".modal:not(:has([name=warehouse_id]))" },

        { trigger: ".modal button[name=action_dry_run]", run: "click" },
        { trigger: ".modal .o_data_row:contains('INV-EXPRESS'):contains('Order'):contains('Brisbane')" },
        { trigger: ".modal .o_data_row.text-danger:contains('INV-FAILS'):contains('GLASS')" },
        { trigger: ".modal .o_data_row.text-muted:contains('INV-PICKUP'):contains('Skipped')" },
        { trigger: ".modal .alert-info:contains('1 would become orders, 1 would be skipped, 1 would fail')" },
        { trigger: ".modal footer button:contains('Close')", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_form_saved" },
    ],
});
