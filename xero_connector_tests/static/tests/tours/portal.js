import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

/** A click that loads another page. */
const go = (trigger) => ({ trigger, run: "click", expectUnloadPage: true });
const goButton = (label) => go(`main button:contains('${label}'):visible`);
const atStep = (label) => ({ trigger: `main .nav-pills .active:contains('${label}')` });

tours.add("xero_portal", {
    steps: () => [
        go("main a[href='/my/xero']:contains('Xero integrations')"),
        { trigger: "main h4:contains('Connect your Xero')" },
        go("main a:contains('New integration')"),
        atStep("Initial configuration"),
        { trigger: "main input[name=name]", run: "edit Web shop" },
        goButton("Next"),
        atStep("Authentication"),
        { trigger: "main p:contains('Not connected yet')" },
        {
            content: "To Xero, where Allow is pressed, and back",
            ...goButton("Connect to Xero"),
        },
        { trigger: "main p:has(.text-success):contains('Connected to')" },
        go("main a.btn:contains('Next')"),
        atStep("Configuration"),
        {
            content: "Only the customer's warehouses are offered",
            trigger: "main select[name=default]:has(option:contains('Gold Coast')):not(:has(option:contains('Brisbane')))",
        },
        goButton("Add a rule"),
        { trigger: "main input[name='text-n1']", run: "edit GC" },
        { trigger: "main select[name='target-n1']", run: "selectByLabel Gold Coast" },
        goButton("Add a rule"),
        { trigger: "main input[name='text-n2']", run: "edit GC express" },
        { trigger: "main select[name='target-n2']", run: "selectByLabel Do not import" },
        go("main button[value='up:n2']"),
        { trigger: "main .alert-warning:contains('not saved yet')" },
        { trigger: "main select[name=default]", run: "selectByLabel Do not import" },
        goButton("Save and next"),
        atStep("Test order"),
        go("main .list-group-item:contains('INV-TESTED') button"),
        { trigger: "main .alert-success:contains('would become this order')" },
        { trigger: "main dd:contains('Gold Coast')" },
        goButton("Finish"),
        { trigger: "main span:contains('Connected')" },
        goButton("Pause"),
        { trigger: "main span:contains('Paused')" },
        goButton("Resume"),
        { trigger: "main span:contains('Connected')" },
    ],
});

tours.add("xero_portal_log", {
    steps: () => [
        go("main .list-group a:contains('Web shop')"),
        go("main dd a:contains('1').text-danger"),
        { trigger: "main .list-group-item:contains('INV-FAILS'):contains('The warehouse knows no item “GLASS”')" },
        goButton("Retry"),
        { trigger: "main .alert-success:contains('INV-FAILS is tried again')" },
        go("main a:contains('Web shop')"),
        go("main a:contains('Delete')"),
        go("main a:contains('Keep it')"),
        go("main a:contains('Delete')"),
        goButton("Delete"),
        { trigger: "main h4:contains('Connect your Xero')" },
    ],
});
