// What a browser with JavaScript gets on top: everything here also works without it.
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Show password: a button beside the field, in the words the page gives.
for (const button of all("[data-reveal]")) {
  const field = document.getElementById(button.dataset.reveal);
  const set = (shown) => {
    field.type = shown ? "text" : "password";
    button.textContent = shown ? button.dataset.hide : button.dataset.show;
  };
  button.hidden = false;
  button.addEventListener("click", () => set(field.type === "password"));
  field.form?.addEventListener("submit", () => set(false));
}

// Filter of a long list: hides what does not contain the typed words, and says how many are left.
for (const input of all("[data-filter]")) {
  const items = all(`#${input.dataset.filter} [data-filter-item]`);
  const count = document.getElementById(`${input.id}-count`);
  input.closest("[hidden]").hidden = false;
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const item of items) {
      const text = item.textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
    }
    count.textContent = count.dataset.text.replace("#", items.filter((item) => !item.hidden).length);
  });
  input.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
}

// Rules of a field: each says whether it is met, while one types.
for (const list of all("[data-checklist]")) {
  const field = document.getElementById(list.dataset.checklist);
  const look = () => {
    for (const rule of all("[data-pattern]", list)) {
      const met = field.value !== "" && new RegExp(rule.dataset.pattern, "u").test(field.value);
      rule.classList.toggle("met", met);
      rule.querySelector("[data-state]").textContent = met ? ` (${list.dataset.met})` : "";
    }
  };
  field.addEventListener("input", look);
  look();
}

// Copy buttons: the text of the element they name.
for (const button of all("[data-copy]")) {
  if (!navigator.clipboard) break;
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = button.dataset.done;
    setTimeout(() => (button.textContent = label), 2000);
  });
}

// Session notice: shown two and a half minutes before the time is up.
for (const notice of all("[data-seconds]")) {
  const wait = Math.max(0, Number(notice.dataset.seconds) - 150) * 1000;
  setTimeout(() => (notice.hidden = false), wait);
}

// Pocket responder of the laboratory: fetches a new code when the shown one has run out.
for (const code of all("[data-otp]")) {
  const next = async () => {
    try {
      const answer = await fetch(code.dataset.otp, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const { code: digits, expires_in: left } = await answer.json();
      code.textContent = digits;
      setTimeout(next, Math.max(1, left ?? 30) * 1000);
    } catch {
      setTimeout(next, 10000);
    }
  };
  setTimeout(next, Math.max(1, Number(code.dataset.left) || 1) * 1000);
}

// An error summary is read first.
document.querySelector("[data-summary]")?.focus();

// Print buttons.
for (const button of all("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
