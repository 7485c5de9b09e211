import { registry } from "@web/core/registry";
import { CARD, onPage } from "./steps";

const tours = registry.category("web_tour.tours");

const press = (name) => ({ trigger: `button[name=${name}]:enabled`, run: "click" });
const write = (name, text) => ({ trigger: `.o_field_widget[name=${name}] input`, run: `edit ${text}` });

// Each step is what the page itself points to, at any width: no menu, nothing one has to know.

tours.add("xero_first_time", {
    steps: () => [
        ...onPage("Dashboard"),
        { trigger: ".o_nocontent_help a.btn-primary:contains('Add the app')", run: "click" },
        { trigger: ".alert-info li:contains('Press New connection')" },
        write("name", "Our warehouse"),
        write("client_id", "FAKEC11E47000000000000000000F4CE"),
        write("client_secret", "fake-client-secret"),
        { trigger: ".o_form_button_save:enabled", run: "click" },
        press("action_new_connection"),
        { trigger: ".o_field_widget[name=app_id] input:value('Our warehouse')" },
        write("name", "Kiwi Outdoor"),
        press("action_setup_next"),
        {
            content: "Odoo sends us to Xero, where Allow is pressed, and Xero sends us back into the set-up",
            trigger: "button[name=action_connect]:contains('Connect to Xero')",
            run: "click",
            expectUnloadPage: true,
        },
        { trigger: "h2:contains('Connected to Org ')" },
        { trigger: "p:contains('That is done')" },
        press("action_setup_next"),
        { trigger: ".o_inner_group [name=warehouse_id] input", run: "click" },
        {
            content: "A phone offers cards instead of a menu",
            trigger: ".ui-menu-item > a:contains('Brisbane'), .modal .o_kanban_record:contains('Brisbane')",
            run: "click",
        },
        { trigger: ".o_inner_group [name=warehouse_id] input:value('Brisbane')" },
        press("action_setup_next"),
        { trigger: "p:contains('Finish starts the import')" },
        press("action_setup_finish"),
        { trigger: ".alert-info:contains('Nothing has come yet')" },
    ],
});

tours.add("xero_first_order", {
    steps: () => [
        { trigger: `${CARD}:contains('Connected'):contains('Nothing has come yet')` },
        { trigger: `${CARD} a[name=action_import_one]`, run: "click" },
        { trigger: ".modal [name=text] input", run: "edit INV-FIRST" },
        { trigger: ".modal button[name=action_import]", run: "click" },
        { trigger: ".modal .alert-success" },
    ],
});

tours.add("xero_staff_day", {
    steps: () => [
        { trigger: `${CARD}:contains('1 today, 1 in all'):contains('2 today, 2 in all')` },
        { content: "Setting up is not theirs", trigger: "body:not(:has(button[name=action_setup_new]))" },
        { trigger: `${CARD} a[name=action_view_problems]:contains('Failed')`, run: "click" },
        ...onPage("Problems"),
        { trigger: ".o_action_manager:contains('GLASS') button[name=action_release]", run: "click" },
        { trigger: ".o_notification:contains('Documents tried again within a minute: 2')" },
        { trigger: ".o_view_nocontent:contains('Nothing is held up')" },
    ],
});
