// Security keys and passkeys: puts what the browser's own dialog answers into the form that asked for it.
const octets = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
const listed = (all) => (all ?? []).map((one) => ({ ...one, id: octets(one.id) }));

const make = async (asked) => {
  const publicKey = {
    ...asked,
    challenge: octets(asked.challenge),
    user: { ...asked.user, id: octets(asked.user.id) },
    excludeCredentials: listed(asked.excludeCredentials),
  };
  const made = await navigator.credentials.create({ publicKey });
  return { made, response: { attestationObject: text(made.response.attestationObject) } };
};

const use = async (asked) => {
  const publicKey = { ...asked, challenge: octets(asked.challenge), allowCredentials: listed(asked.allowCredentials) };
  const made = await navigator.credentials.get({ publicKey });
  const { authenticatorData, signature, userHandle } = made.response;
  const response = { authenticatorData: text(authenticatorData), signature: text(signature) };
  return { made, response: userHandle ? { ...response, userHandle: text(userHandle) } : response };
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) break;
  form.closest("[hidden]").hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const failed = form.querySelector("[data-failed]");
    failed.hidden = true;
    try {
      const { made, response } = await (form.dataset.passkey === "make" ? make : use)(JSON.parse(form.dataset.options));
      const clientDataJSON = text(made.response.clientDataJSON);
      form.elements.answer.value = JSON.stringify({
        id: made.id,
        rawId: text(made.rawId),
        type: made.type,
        response: { ...response, clientDataJSON },
      });
      form.submit();
    } catch {
      // Cancelled, or no key at hand: the other way stays open.
      failed.hidden = false;
    }
  });
}
