// Sends the form once, or follows the link. Someone who comes back with the back button gets the visible button instead.
const [navigation] = performance.getEntriesByType("navigation");
const onward = document.querySelector("[data-auto]");
if (onward && navigation?.type !== "back_forward") {
  if (onward instanceof HTMLFormElement) onward.submit();
  else location.assign(onward.href);
}
