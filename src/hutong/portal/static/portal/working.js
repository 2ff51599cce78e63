// A form marked data-works may take a while: its pressed button says so at once, and it is sent once only.
// Without this script the form is sent all the same.
"use strict";
(() => {
  const sent = new Map(); // form -> how to make it as it was

  function begin(form, button) {
    const status = document.getElementById("working");
    const words = status.dataset.words;
    const buttons = [...form.querySelectorAll("button[type=submit]:enabled")];
    const before = button ? [...button.childNodes] : [];
    for (const one of buttons) one.disabled = true;
    if (button) {
      button.classList.add("button--working");
      button.replaceChildren(words);
    }
    form.setAttribute("aria-busy", "true");
    status.textContent = words;
    sent.set(form, () => {
      for (const one of buttons) one.disabled = false;
      if (button) {
        button.classList.remove("button--working");
        button.replaceChildren(...before);
      }
      form.removeAttribute("aria-busy");
      status.textContent = "";
    });
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.hasAttribute("data-works")) return;
    if (sent.has(form)) {
      event.preventDefault();
      return;
    }
    sent.set(form, () => {});
    // Not before the browser has read the form: it leaves out the name and value of a disabled button.
    setTimeout(() => begin(form, event.submitter));
  });

  // Back from the next page: the browser may show this one as it was left.
  addEventListener("pageshow", () => {
    for (const restore of sent.values()) restore();
    sent.clear();
  });
})();
