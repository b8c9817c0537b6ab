/* sandbox.js: plays the citizen and shows what comes back; asks the sandbox once a second. */
"use strict";

const $ = id => document.getElementById(id);
const el = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
};
const english = text => el("small", { lang: "en", textContent: text });
const clock = ms => new Date(ms).toLocaleTimeString("id-ID", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

const TICKS = { sent: ["✓", "terkirim / sent"], delivered: ["✓✓", "sampai / delivered"], read: ["✓✓", "dibaca / read"], failed: ["!", "gagal / failed"] };
const STATES = {
  new: "baru", incomplete: "belum lengkap", in_progress: "diproses", awaiting_approval: "menunggu persetujuan", escalated: "diteruskan",
  section_answered: "dijawab seksi", answered: "dijawab", closed: "ditutup", refused: "bukan wewenang", merged: "digabung",
};
const IDEAS = {
  id: ["Antrean paspor terlalu lama", "Petugas loket tidak ramah", "Bagaimana status aduan saya?"],
  en: ["My visa extension is late", "I was asked for extra money", "Any news about my complaint?"],
};

let people = [], who = null, replyTo = null, file = null, shown = "", shownDesk = "", timer = null, busy = false;

const toast = text => {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { $("toast").hidden = true; }, 5000);
};

const call = async (path, body) => {
  const options = body === undefined ? {} : { method: "POST", headers: { "X-Sandbox": "1" }, body: JSON.stringify(body) };
  const answer = await fetch(path, options);
  const result = await answer.json();
  if (!answer.ok) throw new Error(result.error || answer.statusText);
  return result;
};

const person = () => people.find(p => p.key === who);

const showPeople = () => {
  $("people").replaceChildren(...people.map(p => {
    const channel = p.channel === "whatsapp" ? "WhatsApp" : "Surel / e-mail";
    const button = el("button", { type: "button" },
      el("span", { className: "face " + p.channel, textContent: p.channel === "whatsapp" ? p.name[0] : "@", ariaHidden: "true" }),
      el("span", { className: "who" }, el("b", {}, p.name.split(" ")[0], el("span", { className: "family", textContent: " " + p.name.split(" ").slice(1).join(" ") })), el("small", { textContent: channel })));
    button.setAttribute("aria-pressed", p.key === who);
    button.onclick = () => choose(p.key);
    return button;
  }));
};

const choose = key => {
  who = key;
  localStorage.setItem("who", key);
  setReply(null);
  shown = "";
  showPeople();
  const mail = person().channel === "email";
  document.querySelector(".subject").hidden = !mail;
  $("chat").classList.toggle("mail", mail);
  $("ideas").replaceChildren(...IDEAS[person().language].map(text => {
    const button = el("button", { type: "button", textContent: text });
    button.onclick = () => { $("text").value = text; if (mail && !replyTo) $("subject").value = text; $("text").focus(); };
    return button;
  }));
  refresh();
};

const setReply = message => {
  replyTo = message;
  $("quoted").hidden = !message;
  if (message) $("quoted").firstElementChild.textContent = "↩ " + (message.subject || message.text || "…");
};

const setFile = chosen => {
  file = chosen;
  $("chosen").hidden = !chosen;
  if (chosen) $("chosen").firstElementChild.textContent = `${chosen.name} (${Math.ceil(chosen.size / 1024)} KiB)`;
  else $("file").value = "";
};

const attachment = f => {
  const image = /^image\/(png|jpeg)/.test(f.type || "");
  const link = el("a", { href: f.url, target: "_blank", rel: "noopener" });
  link.append(image ? el("img", { src: f.url, alt: f.name }) : "⤓ " + f.name);
  return link;
};

const bubble = (m, all) => {
  const node = el("li", { className: "bubble " + (m.mine ? "mine" : "theirs") });
  const before = m.reply_to && all.find(o => o.id === m.reply_to);
  if (m.subject) node.append(el("h3", { textContent: m.subject }));
  if (before && person().channel === "whatsapp") node.append(el("blockquote", { textContent: before.text || before.type || "" }));
  m.files.forEach(f => node.append(attachment(f)));
  if (m.text) node.append(el("p", { textContent: m.text.trim() }));
  const meta = el("div", { className: "meta" });
  if (m.template) meta.append(el("span", { textContent: "templat / template" }));
  if (m.auto && !m.mine) meta.append(el("span", { textContent: "otomatis / automatic" }));
  if (!m.mine && m.threaded) meta.append(el("span", { textContent: "↳ utas yang sama / same thread" }));
  const button = el("button", { type: "button", textContent: "balas / reply" });
  button.onclick = () => { setReply(m); $("text").focus(); };
  if (!m.mine) meta.append(button);
  meta.append(el("time", { textContent: clock(m.at) }));
  const tick = TICKS[m.status];
  if (tick && !m.mine) {
    meta.append(el("span", { className: "ticks " + m.status, textContent: `${tick[0]} ${tick[1]}` }));
  }
  node.append(meta);
  return node;
};

const showThread = state => {
  const now = JSON.stringify([state.thread, state.fault]);
  if (now === shown) return;
  shown = now;
  const list = $("thread"), below = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const empty = el("li", { className: "empty", textContent: "Belum ada pesan. Tulislah aduan di bawah. " });
  empty.append(english("No messages yet. Write a complaint below."));
  list.replaceChildren(...(state.thread.length ? state.thread.map(m => bubble(m, state.thread)) : [empty]));
  if (below || !list.scrollTop) list.scrollTop = list.scrollHeight;
};

const showHead = state => {
  const p = state.person, left = (state.window_until || 0) - Date.now();
  const head = [el("b", { textContent: p.channel === "whatsapp" ? `${p.name} · ${p.phone}` : `${p.name} · ${p.address || ""}` })];
  if (p.channel === "whatsapp" && state.window_until) {
    const text = left > 0 ? `jendela balas ${Math.floor(left / 3600000)} j ${Math.floor(left / 60000) % 60} m / reply window` : "jendela balas tertutup / reply window closed";
    const button = el("button", { type: "button", className: "read", textContent: "Baca semua / read all" });
    button.onclick = () => call("/api/read", { who }).then(refresh, e => toast(e.message));
    head.push(el("small", { textContent: text }), button);
  }
  if (state.fault) head.push(el("p", { className: "fault", textContent: state.fault }));
  const now = head.map(h => h.textContent).join("|");
  if (showHead.shown !== now) $("chat-head").replaceChildren(...head);
  showHead.shown = now;
};

const ticket = t => {
  const due = t.due_at ? new Date(t.due_at).toLocaleString("id-ID", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: "Asia/Jakarta" }) : "";
  const badge = el("span", { className: "badge" + (t.overdue ? " overdue" : ""), textContent: STATES[t.state] || t.state, title: t.state });
  const node = el("li", {}, el("header", {}, el("b", { textContent: t.number }), badge));
  node.append(el("p", { textContent: [t.channel, t.subject || t.name || t.conversation, due && `tenggat / due ${due}`].filter(Boolean).join(" · ") }));
  const text = el("textarea", { rows: 1, maxLength: 4000, placeholder: "Jawab… / answer…", ariaLabel: `Jawaban untuk / answer to ${t.number}` });
  const form = el("form", {}, text, el("button", { className: "go", textContent: "Jawab" }));
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

const showDesk = state => {
  $("desk-fault").hidden = !state.desk_fault;
  $("desk-fault").textContent = state.desk_fault || "";
  const now = JSON.stringify(state.tickets);
  /* What an officer types stays: the list waits while a field has text. */
  if (now === shownDesk || [...document.querySelectorAll("#tickets textarea")].some(t => t.value || t === document.activeElement)) return;
  shownDesk = now;
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

const showLamps = up => {
  $("lamps").replaceChildren(...Object.entries(up).map(([name, on]) => el("li", { className: on ? "" : "off", title: name, textContent: on ? name : `${name} mati / down` })));
};

const refresh = async () => {
  clearTimeout(timer);
  if (busy) return;
  busy = true;
  const asked = who;
  try {
    const state = await call("/api/state?who=" + encodeURIComponent(asked));
    if (asked === who) { showHead(state); showThread(state); }
    showDesk(state);
    showDays(state.days);
    showLamps(state.up);
  } catch (e) {
    showLamps({ "bak pasir / sandbox": false });
  }
  busy = false;
  timer = setTimeout(refresh, document.hidden ? 5000 : asked === who ? 1000 : 0);
};

const encode = chosen => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done({ name: chosen.name, type: chosen.type, data: reader.result.split(",")[1] || "" });
  reader.onerror = () => failed(reader.error);
  reader.readAsDataURL(chosen);
});

$("compose").onsubmit = async event => {
  event.preventDefault();
  $("send").disabled = true;
  try {
    if (file && file.size > 8 * 1024 * 1024) throw new Error("Lampiran terlalu besar (8 MiB) / attachment too large");
    await call("/api/write", { who, text: $("text").value, subject: $("subject").value, reply_to: replyTo && replyTo.id, file: file && await encode(file) });
    $("text").value = $("subject").value = "";
    setReply(null);
    setFile(null);
  } catch (e) { toast(e.message); }
  $("send").disabled = false;
  $("text").focus();
  refresh();
};
$("text").onkeydown = event => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("compose").requestSubmit();
};
$("file").onchange = () => setFile($("file").files[0] || null);
$("unquote").onclick = () => setReply(null);
$("unchoose").onclick = () => setFile(null);
document.querySelectorAll("[role=tab]").forEach(tab => {
  tab.onclick = () => {
    document.querySelector("main").dataset.part = tab.dataset.part;
    document.querySelectorAll("[role=tab]").forEach(t => t.setAttribute("aria-selected", t === tab));
  };
});

call("/api/people").then(list => {
  people = list;
  const wanted = new URLSearchParams(location.search).get("who") || localStorage.getItem("who");
  choose(people.some(p => p.key === wanted) ? wanted : people[0].key);
}, e => toast(e.message));
