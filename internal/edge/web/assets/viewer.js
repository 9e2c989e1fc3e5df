// Improves every <figure data-viewer>: zoom, rotation and panning by mouse, touch, keyboard and buttons. Without this file the
// picture is shown as it is, with a link to it.

const smallest = 0.05;
const largest = 16;

function setUp(figure) {
  const stage = figure.querySelector("[data-viewer-stage]");
  const image = stage?.querySelector("img");
  if (!image) return;
  const scaleText = figure.querySelector("[data-viewer-scale]");
  // x and y are where the picture's centre lies in the stage, in CSS pixels; turn is in quarter turns clockwise.
  const view = { scale: 1, turn: 0, x: 0, y: 0, fitted: true, contrast: 0 };

  const draw = () => {
    const width = image.naturalWidth, height = image.naturalHeight;
    image.style.transform = `translate(${view.x}px, ${view.y}px) rotate(${view.turn * 90}deg) scale(${view.scale}) translate(${-width / 2}px, ${-height / 2}px)`;
    scaleText.textContent = `${Math.round(view.scale * 100)}%`;
  };
  const fit = () => {
    const turned = view.turn % 2 !== 0;
    const width = turned ? image.naturalHeight : image.naturalWidth;
    const height = turned ? image.naturalWidth : image.naturalHeight;
    if (!width || !height) return;
    const room = 0.96;
    Object.assign(view, {
      scale: Math.min((stage.clientWidth * room) / width, (stage.clientHeight * room) / height),
      x: stage.clientWidth / 2, y: stage.clientHeight / 2, fitted: true,
    });
    draw();
  };
  // zoom keeps the point (x, y) of the stage where it is.
  const zoom = (factor, x = stage.clientWidth / 2, y = stage.clientHeight / 2) => {
    const next = Math.min(largest, Math.max(smallest, view.scale * factor));
    const real = next / view.scale;
    view.x = x + (view.x - x) * real;
    view.y = y + (view.y - y) * real;
    view.scale = next;
    view.fitted = false;
    draw();
  };
  const rotate = (quarters) => {
    view.turn = (view.turn + quarters + 4) % 4;
    if (view.fitted) { fit(); return; }
    // The centre of the stage stays the centre: turn the offset with the picture.
    const dx = view.x - stage.clientWidth / 2, dy = view.y - stage.clientHeight / 2;
    view.x = stage.clientWidth / 2 - quarters * dy;
    view.y = stage.clientHeight / 2 + quarters * dx;
    draw();
  };
  const move = (dx, dy) => { view.x += dx; view.y += dy; view.fitted = false; draw(); };

  const actions = {
    "zoom-in": () => zoom(1.25), "zoom-out": () => zoom(0.8),
    "rotate-left": () => rotate(-1), "rotate-right": () => rotate(1), fit,
    // Steps through three strengths and back: faint print and watermarks come out.
    contrast: () => {
      view.contrast = (view.contrast + 1) % 4;
      image.style.filter = view.contrast ? `contrast(${100 + view.contrast * 60}%)` : "";
      figure.querySelector('[data-viewer-action="contrast"]').setAttribute("aria-pressed", String(view.contrast > 0));
    },
  };
  for (const button of figure.querySelectorAll("[data-viewer-action]")) {
    button.addEventListener("click", () => actions[button.dataset.viewerAction]());
  }

  stage.tabIndex = 0;
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 160 : 48;
    const keys = {
      "+": actions["zoom-in"], "=": actions["zoom-in"], "-": actions["zoom-out"], "_": actions["zoom-out"],
      r: () => rotate(1), R: () => rotate(-1), 0: fit, c: actions.contrast, C: actions.contrast,
      ArrowLeft: () => move(step, 0), ArrowRight: () => move(-step, 0), ArrowUp: () => move(0, step), ArrowDown: () => move(0, -step),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  // A plain wheel zooms only while the stage has the focus or the pointer is pinching, so that a long page can be scrolled past.
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && document.activeElement !== stage) return;
    event.preventDefault();
    const box = stage.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });

  const pointers = new Map();
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    stage.focus({ preventScroll: true });
    pointers.set(event.pointerId, event);
  });
  stage.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    if (pointers.size === 2) {
      const other = [...pointers.entries()].find(([id]) => id !== event.pointerId)[1];
      const span = (pointer) => Math.hypot(pointer.clientX - other.clientX, pointer.clientY - other.clientY);
      const box = stage.getBoundingClientRect();
      if (span(before) > 0) {
        zoom(span(event) / span(before), (event.clientX + other.clientX) / 2 - box.left, (event.clientY + other.clientY) / 2 - box.top);
      }
    } else {
      move(event.clientX - before.clientX, event.clientY - before.clientY);
    }
    pointers.set(event.pointerId, event);
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    stage.addEventListener(kind, (event) => pointers.delete(event.pointerId));
  }
  stage.addEventListener("dblclick", (event) => {
    const box = stage.getBoundingClientRect();
    if (view.fitted) zoom(2.5, event.clientX - box.left, event.clientY - box.top);
    else fit();
  });

  const begin = () => {
    figure.classList.add("is-live");
    figure.querySelector("[data-viewer-toolbar]").hidden = false;
    figure.querySelector("[data-viewer-help]").hidden = false;
    fit();
    new ResizeObserver(() => { if (view.fitted) fit(); }).observe(stage);
  };
  if (image.complete && image.naturalWidth > 0) begin();
  else image.addEventListener("load", begin, { once: true });
}

for (const figure of document.querySelectorAll("[data-viewer]")) setUp(figure);
