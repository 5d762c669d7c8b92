// Sends the answer form once. Someone who comes back with the back button gets the visible button instead.
const [navigation] = performance.getEntriesByType("navigation");
const form = document.querySelector("form[data-auto]");
if (form && navigation?.type !== "back_forward") form.submit();
