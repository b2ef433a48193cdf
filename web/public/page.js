// The page at the hotline's door: asks the controller every few seconds whether calls are answered, and says so.
// The words stand in index.html, in both languages; this only chooses among them. Nothing about the visitor is kept:
// the language is the address's fragment (#en).

const LOOK_EVERY_MS = 10_000;
const PATIENCE_MS = 4_000; // nginx gives the controller 2 s

const hotline = document.getElementById("hotline");
const numbers = document.getElementById("numbers");
const checked = document.getElementById("checked");

async function look() {
  try {
    const answer = await fetch("/api/health", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!answer.ok) throw new Error(`health: ${answer.status}`);
    const { answering, lines } = await answer.json();
    show(answering ? "answering" : "impaired");
    dial(lines);
  } catch {
    show("silent"); // the numbers stay: they are right, even when nobody answers
  }
}

function show(state) {
  hotline.dataset.state = state;
  checked.textContent = new Date().toLocaleTimeString(document.documentElement.lang, { hour12: false });
}

function dial(lines) {
  if (lines.join() === [...numbers.children].map((link) => link.textContent).join()) return;
  numbers.replaceChildren(
    ...lines.map((line) => {
      const link = document.createElement("a");
      link.href = `tel:${line}`;
      link.textContent = line;
      return link;
    }),
  );
}

function speak() {
  const english = location.hash === "#en";
  document.documentElement.lang = english ? "en" : "zh-CN";
  document.title = english ? "12333 hotline" : "12333 热线";
}

document.documentElement.classList.add("one-language");
addEventListener("hashchange", speak);
document.addEventListener("visibilitychange", () => document.hidden || look());
speak();
look();
setInterval(() => document.hidden || look(), LOOK_EVERY_MS);
