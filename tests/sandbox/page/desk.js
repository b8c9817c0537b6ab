/* desk.js: the officer's side: tickets, the work list of what is carried over by hand, and the bad days. */
"use strict";

const STATES = {
  new: "baru", incomplete: "belum lengkap", in_progress: "diproses", awaiting_approval: "menunggu persetujuan", escalated: "diteruskan",
  section_answered: "dijawab seksi", answered: "dijawab", closed: "ditutup", refused: "bukan wewenang", merged: "digabung",
};
const CARRY = {
  hand: "serahkan / hand over", call: "telepon / call", letter: "kirim surat / post a letter", paste: "tempel di portal / paste at the portal",
  send: "kirim sendiri / send yourself",
};
const KINDS = { email: "surel / e-mail", maildir: "surel / e-mail", whatsapp: "WhatsApp", instagram: "Instagram", facebook: "Facebook", x: "X", lapor: "SP4N-LAPOR!" };
const shownDesk = { tickets: "", work: "" };

const due = iso => iso ? new Date(iso).toLocaleString("id-ID", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: "Asia/Jakarta" }) : "";
const line = parts => el("p", { textContent: parts.filter(Boolean).join(" · ") });
const channel = name => KINDS[name] || VIA[name] || name;
const head = (title, badge, overdue) => el("header", {}, el("b", { textContent: title }), el("span", { className: "badge" + (overdue ? " overdue" : ""), textContent: badge }));

const ticket = t => {
  const node = el("li", {}, head(t.number, STATES[t.state] || t.state, t.overdue));
  if (t.public) node.firstChild.insertBefore(el("span", { className: "badge public", textContent: "publik / public" }), node.firstChild.lastChild);
  node.append(line([channel(t.channel), t.subject || t.name || t.conversation, t.due_at && `tenggat / due ${due(t.due_at)}`]));
  const text = el("textarea", { rows: 1, maxLength: 4000, placeholder: t.public ? "Jawab pribadi… / privately…" : "Jawab… / answer…", ariaLabel: `Jawaban untuk / answer to ${t.number}` });
  const form = el("form", {}, text, el("button", { className: "go" }, "Jawab", english("Answer")));
  form.onsubmit = async event => {
    event.preventDefault();
    if (!text.value.trim()) return;
    form.lastChild.disabled = true;
    try {
      const result = await call("/api/answer", { number: t.number, text: text.value });
      text.value = "";
      toast(`${t.number}: ${result.note || "jawaban diantrekan / answer queued"}`);
    } catch (e) { toast(e.message); }
    form.lastChild.disabled = false;
    refresh();
  };
  node.append(form);
  return node;
};

/* What waits for a person: show it, print it, say that it is done. */
const work = w => {
  const node = el("li", {}, head(w.number, CARRY[w.way] || w.way, w.overdue));
  node.append(line([channel(w.channel), w.name, w.phone, w.address, w.due_at && `tenggat / due ${due(w.due_at)}`]));
  const words = el("pre", { hidden: true, tabIndex: 0 }), ref = el("input", { placeholder: "resi, alasan / ref", maxLength: 100, ariaLabel: "Nomor resi atau catatan / reference" });
  const act = async (verb, more, then) => {
    try {
      then(await call("/api/work", { id: w.id, do: verb, ...more }));
    } catch (e) { toast(e.message.replace(/^aduanctl: /, "")); }
  };
  const button = (id, en, work_, className = "") => Object.assign(el("button", { type: "button", className }, id, english(en)), { onclick: work_ });
  const said = () => { shownDesk.work = ""; refresh(); };
  node.append(words, el("div", { className: "carry" },
    button("Lihat", "Show", () => act("show", {}, item => { words.textContent = item.text; words.hidden = false; })),
    button("Cetak", "Print", () => act("print", {}, page => window.open(page.url, "_blank", "noopener"))),
    ref,
    button("Sudah", "Done", () => act("done", { ref: ref.value }, said), "go"),
    button("Gagal", "Failed", () => act("failed", { reason: ref.value }, said))));
  return node;
};

/* What a citizen filed at the portal, where the office has no API: an officer brings it in. */
const brought = r => {
  const node = el("li", {}, head(`SP4N-LAPOR! ${r.id}`, "baru di portal / new at the portal"), line([r.title]));
  const go = el("button", { type: "button", className: "go" }, "Impor", english("Import"));
  go.onclick = async () => {
    go.disabled = true;
    try {
      const answer = await call("/api/import", { id: r.id });
      toast(`${answer.number}: diimpor / imported`);
      shownDesk.work = "";
    } catch (e) { toast(e.message); }
    go.disabled = false;
    refresh();
  };
  node.append(el("div", { className: "carry" }, go));
  return node;
};

/* What an officer types stays: a list waits while one of its fields is used. */
const busyIn = id => [...$(id).querySelectorAll("textarea, input")].some(t => t.value || t === document.activeElement);

const showDesk = state => {
  $("desk-fault").hidden = !state.desk_fault;
  $("desk-fault").textContent = state.desk_fault || "";
  const by_hand = JSON.stringify([state.work, state.portal]);
  if (by_hand !== shownDesk.work && !busyIn("work")) {
    shownDesk.work = by_hand;
    $("hand").hidden = !state.work.length && !state.portal.length;
    $("work").replaceChildren(...state.portal.map(brought), ...state.work.map(work));
  }
  const now = JSON.stringify(state.tickets);
  if (now === shownDesk.tickets || busyIn("tickets")) return;
  shownDesk.tickets = now;
  const empty = el("li", { className: "empty", textContent: "Belum ada tiket. / No tickets yet." });
  $("tickets").replaceChildren(...(state.tickets.length ? state.tickets.slice(0, 50).map(ticket) : [empty]));
};

const showDays = days => {
  const buttons = $("day-buttons");
  if (!buttons.children.length) {
    buttons.append(...days.map(d => {
      const button = el("button", { type: "button" }, el("b", { textContent: d.id }), english(d.en));
      button.onclick = () => call("/api/day", { key: d.key }).then(r => { showDays(r.days); toast(d.id); }, e => toast(e.message));
      return button;
    }));
  }
  days.forEach((d, i) => {
    buttons.children[i].classList.toggle("on", d.left > 0);
    buttons.children[i].lastChild.textContent = d.en + (d.left > 0 ? ` · ${d.left} s` : "");
  });
};
