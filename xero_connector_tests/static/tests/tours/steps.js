import { browser } from "@web/core/browser/browser";

/** The card of the tours' connection on the dashboard; its name opens it. */
export const CARD = ".o_kanban_record:has(.fs-4:text('Kiwi Outdoor'))";
export const CARD_NAME = `${CARD} .fs-4`;

/** Wait for the page of this title: until it is there, the one before still takes the clicks. */
export function onPage(title) {
    return [{ trigger: `.o_breadcrumb .active:contains("${title}")` }];
}

/** Open a section of the application one is in. */
export function openSection(xmlid, title) {
    return [{ trigger: `.o_menu_sections [data-menu-xmlid="${xmlid}"]`, run: "click" }, ...onPage(title)];
}

/** Open an entry below a section of the application one is in. */
export function openEntry(section, xmlid, title) {
    return [
        { trigger: `.o_menu_sections button[data-menu-xmlid="${section}"]`, run: "click" },
        { trigger: `.o-dropdown--menu [data-menu-xmlid="${xmlid}"]`, run: "click" },
        ...onPage(title),
    ];
}

/** Choose a filter from the search panel, and wait until it stands in the search bar. */
export function filterBy(label) {
    return [
        { trigger: ".o_searchview_dropdown_toggler", run: "click" },
        { trigger: `.o_search_bar_menu .o_menu_item:text("${label}")`, run: "click" },
        { trigger: `.o_searchview_facet:contains("${label}")` },
        { trigger: ".o_searchview_dropdown_toggler", run: "click" },
        { trigger: "body:not(:has(.o_search_bar_menu))" },
    ];
}

/** Type into the search bar and take the suggestion that looks for it in this field. */
export function searchFor(text, field) {
    return [
        { trigger: ".o_searchview_input", run: `edit ${text}` },
        { trigger: `.o_searchview_autocomplete .o-dropdown-item:contains("${field}")`, run: "click" },
        { trigger: `.o_searchview_facet:contains("${text}")` },
    ];
}

/** Show a page of a form's notebook. */
export function openTab(name) {
    return [
        { trigger: `.o_notebook_headers .nav-link[name="${name}"]`, run: "click" },
        { trigger: `.o_notebook_headers .nav-link.active[name="${name}"]` },
    ];
}

/** Choose a record in a many2one inside `scope`. */
export function choose(scope, field, name) {
    return [
        { trigger: `${scope} [name="${field}"] input`, run: `edit ${name}` },
        { trigger: `.ui-menu-item > a:contains("${name}")`, run: "click" },
        { trigger: `${scope} [name="${field}"] input:value("${name}")` },
    ];
}

/** Press the button that shows the invoice's PDF: what would open in a new window must be a PDF this user may read. */
export function openPdf(button) {
    return [
        {
            trigger: button,
            async run({ click }) {
                const { open } = browser;
                const opened = new Promise((resolve) => {
                    browser.open = (url) => resolve(url);
                });
                await click(button);
                const answer = await fetch(await opened);
                browser.open = open;
                const content = await answer.text();
                if (!answer.ok || !content.startsWith("%PDF-")) {
                    throw new Error(`no PDF: ${answer.status} ${content.slice(0, 200)}`);
                }
            },
        },
    ];
}
