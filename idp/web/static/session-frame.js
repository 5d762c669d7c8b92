// Answers a client's page whether the session it knows is still the one of this browser (Session Management 3.2).
const cookie = document.documentElement.dataset.cookie;
const state = () => document.cookie.split("; ").find((one) => one.startsWith(`${cookie}=`))?.slice(cookie.length + 1) ?? "";

async function judge(asked, origin) {
  const [, client, known, salt] = /^([!-~]{1,255}) ([0-9a-f]{64})\.([0-9a-f]{32})$/.exec(asked) ?? [];
  if (!client) return "error";
  const told = new TextEncoder().encode(`${client} ${origin} ${state()} ${salt}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", told));
  return [...digest].map((one) => one.toString(16).padStart(2, "0")).join("") === known ? "unchanged" : "changed";
}

addEventListener("message", async (event) => {
  if (typeof event.data !== "string" || event.source === null) return;
  event.source.postMessage(await judge(event.data, event.origin), { targetOrigin: event.origin });
});
