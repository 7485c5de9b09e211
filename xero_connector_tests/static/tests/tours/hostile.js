import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";
import { CARD_NAME, onPage, openEntry, openSection, openTab } from "./steps";

/** What a stranger wrote is on the page, as text, and nothing of it ran. */
const harmless = (trigger) => ({
    trigger,
    run() {
        if (window.hacked || document.querySelector("img[src='x']")) {
            throw new Error("a stranger's text was run");
        }
    },
});

registry.category("web_tour.tours").add("xero_hostile", {
    steps: () => [
        ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
        ...onPage("Dashboard"),
        { trigger: CARD_NAME, run: "click" },
        harmless("[name=tenant_name]:contains('onerror')"),
        ...openTab("connection"),
        { trigger: "button[name=action_test]", run: "click" },
        harmless(".o_notification:contains('onerror')"),
        ...openSection("xero_connector.menu_problems", "Problems"),
        harmless(".o_data_row:contains('<b>X</b>')"),
        ...openEntry("xero_connector.menu_reporting", "xero_connector.menu_log", "Sync log"),
        harmless(".o_data_row:contains('INV-2'):contains('onerror')"),
        { trigger: ".o_data_row:contains('INV-1') td[name=reason]", run: "click" },
        harmless("[name=reference]:contains('onerror')"),
        { trigger: "button[name=action_open_document]", run: "click" },
        harmless("[name=order_line]:contains('onerror')"),
        ...openTab("xero"),
        harmless("[name=xero_invoice_number]:contains('onerror')"),
        harmless(".o-mail-Chatter"),
    ],
});

registry.category("web_tour.tours").add("xero_hostile_out", {
    steps: () => [
        ...stepUtils.goToAppSteps("xero_connector.menu_root", "Open Xero"),
        ...onPage("Dashboard"),
        ...openEntry("xero_connector.menu_reporting", "xero_connector.menu_drift", "Compare with Xero"),
        harmless(".o_data_row:contains('onerror')"),
        ...openSection("xero_connector.menu_problems", "Problems"),
        harmless(".o_content:contains('onerror')"),
        ...openSection("xero_connector.menu_outgoing", "Sent to Xero"),
        harmless(".o_data_row:contains('onerror')"),
        { trigger: ".o_data_row:contains('mapped to no account') td[name=number]", run: "click" },
        harmless("[name=reason]:contains('onerror')"),
        { trigger: "button[name=action_preview]", run: "click" },
        harmless("[name=problems] li:contains('onerror')"),
        harmless("[name=line_ids]:contains('onerror')"),
        ...openTab("explanation"),
        harmless("[name=explanation] td:contains('onerror')"),
    ],
});
