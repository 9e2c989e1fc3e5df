// Improves every <form data-upload>: the type and size of what was chosen are checked at once, it is previewed, it can be
// dropped on the zone, and sending shows progress. The server checks everything again; without this file the form is plain.

function matches(file, accept) {
  const wanted = accept.split(",").map((type) => type.trim().toLowerCase()).filter(Boolean);
  if (wanted.length === 0) return true;
  const name = file.name.toLowerCase();
  const type = file.type.toLowerCase();
  // Some systems give no type for HEIC photos and the like: what the browser cannot tell is for the server to say.
  if (type === "" && !wanted.some((want) => want.startsWith("."))) return true;
  return wanted.some((want) =>
    want.startsWith(".") ? name.endsWith(want) : want.endsWith("/*") ? type.startsWith(want.slice(0, -1)) : type === want);
}

function sizeText(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function setUpField(field) {
  const input = field.querySelector("input[type=file]");
  const zone = field.querySelector("[data-upload-zone]");
  const error = field.querySelector("[data-upload-error]");
  const preview = field.querySelector("[data-upload-preview]");
  const prompt = field.querySelector("[data-upload-prompt]");
  let address = "";

  const say = (message) => {
    error.textContent = message;
    error.hidden = message === "";
    field.classList.toggle("field--error", message !== "");
    if (message) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    input.setCustomValidity(message);
  };

  const show = (file) => {
    if (address) URL.revokeObjectURL(address);
    address = "";
    preview.replaceChildren();
    preview.hidden = !file;
    if (!file) return;
    if (/^image\/(jpeg|png|webp|gif)$/.test(file.type)) {
      address = URL.createObjectURL(file);
      const image = document.createElement("img");
      image.src = address;
      image.alt = input.dataset.previewAlt;
      preview.append(image);
    }
    const name = document.createElement("span");
    name.textContent = `${file.name} · ${sizeText(file.size)}`;
    preview.append(name);
  };

  input.addEventListener("change", () => {
    const file = input.files[0];
    let message = "";
    if (file) {
      const limit = Number(input.dataset.maxBytes);
      if (file.size === 0) message = input.dataset.errorEmpty;
      else if (limit > 0 && file.size > limit) message = input.dataset.errorSize;
      else if (!matches(file, input.accept)) message = input.dataset.errorType;
    }
    say(message);
    show(message ? null : file);
  });

  prompt.hidden = false;
  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.add("is-over"); });
  }
  for (const kind of ["dragleave", "drop"]) {
    zone.addEventListener(kind, () => zone.classList.remove("is-over"));
  }
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length === 0) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change"));
  });
  return { input, say };
}

// replacePage shows an answer that was not a redirect (a form with its errors) in place of the page that sent it.
function replacePage(html) {
  const next = new DOMParser().parseFromString(html, "text/html");
  const main = next.querySelector("main");
  if (!main) return false;
  document.title = next.title;
  document.querySelector("main").replaceWith(document.adoptNode(main));
  start(document);
  (document.querySelector("[data-focus]") ?? document.querySelector("main")).focus();
  return true;
}

function setUpForm(form) {
  const fields = [...form.querySelectorAll("[data-upload-field]")].map(setUpField);
  const bar = form.querySelector("[data-upload-progress]");
  const status = form.querySelector("[data-upload-status]");
  if (fields.length === 0 || !bar) return;

  form.addEventListener("submit", (event) => {
    const { input, say } = fields[0];
    if (!fields.some((field) => field.input.files.length > 0)) return; // the server says what is missing
    event.preventDefault();
    const buttons = [...form.querySelectorAll("button")];
    const finish = (message) => {
      bar.hidden = true;
      for (const button of buttons) button.disabled = false;
      status.textContent = message;
      if (message) { say(message); input.setCustomValidity(""); }
    };
    const request = new XMLHttpRequest();
    request.open("POST", event.submitter?.getAttribute("formaction") ?? form.action);
    request.responseType = "text";
    // The redirect is followed twice, here and by location.assign: the header lets the first leave the flash message alone.
    request.setRequestHeader("X-Probity-Upload", "1");
    request.upload.addEventListener("progress", (progress) => {
      if (!progress.lengthComputable) return;
      bar.querySelector("progress").value = (100 * progress.loaded) / progress.total;
    });
    request.addEventListener("load", () => {
      if (request.status < 400) { location.assign(request.responseURL || form.action); return; }
      finish("");
      if (!replacePage(request.responseText)) finish(input.dataset.errorNetwork);
    });
    request.addEventListener("error", () => finish(input.dataset.errorNetwork));
    request.addEventListener("abort", () => finish(input.dataset.errorNetwork));
    bar.hidden = false;
    status.textContent = input.dataset.progress;
    // The data is taken before the buttons are disabled, and with the button that was pressed.
    request.send(new FormData(form, event.submitter));
    for (const button of buttons) button.disabled = true;
  });
}

function start(root) {
  for (const form of root.querySelectorAll("form[data-upload]")) setUpForm(form);
}

start(document);
