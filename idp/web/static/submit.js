// Sends the form once, or follows the link. Someone who comes back with the back button gets the visible button instead.
// Frames that tell other services of a logout are waited for, but not long.
const [navigation] = performance.getEntriesByType("navigation");
const onward = document.querySelector("[data-auto]");
const frames = [...document.querySelectorAll("iframe[data-logout]")];
if (frames.length > 0) {
  const loaded = frames.map((frame) => new Promise((done) => frame.addEventListener("load", done, { once: true })));
  await Promise.race([Promise.all(loaded), new Promise((done) => setTimeout(done, 3000))]);
}
if (onward && navigation?.type !== "back_forward") {
  if (onward instanceof HTMLFormElement) onward.submit();
  else location.assign(onward.href);
}
