// What every page gets before its own scripts: nothing blinks or moves that has no need to, and `pictures` finds
// elements and tells when the page is at rest.
addEventListener("DOMContentLoaded", () => {
    const style = document.createElement("style");
    // Words on the screen about what the demo did a minute ago belong to no picture.
    style.textContent =
        "* {caret-color: transparent !important; animation: none !important; transition: none !important} " +
        ".o_notification_manager {display: none !important}";
    document.head.append(style);
});

window.pictures = {
    /** The first visible element of a selector whose text, or value, has these words. */
    find(selector, words) {
        return [...document.querySelectorAll(selector)]
            .filter((element) => element.checkVisibility())
            .find((element) => (element.value ?? "").includes(words) || element.textContent.includes(words));
    },

    isAtRest() {
        return (
            document.readyState === "complete" &&
            document.fonts.status === "loaded" &&
            [...document.images].every((image) => image.complete) &&
            !this.find(".o_loading_indicator, .o_blockUI, .fa-spin", "")
        );
    },

    /** What went wrong on the page, in the words it shows. */
    error() {
        return this.find(".o_error_dialog", "")?.textContent ?? "";
    },

    /** Ready to be typed into, its old value about to be replaced. */
    select(selector) {
        const input = this.find(selector, "");
        input.focus();
        input.select();
    },
};
