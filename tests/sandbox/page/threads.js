/* threads.js: what one citizen wrote and got back: the public and the private side, each with its composer. */
"use strict";

const $ = id => document.getElementById(id);
const el = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
};
const english = text => el("small", { lang: "en", textContent: text });
const clock = ms => new Date(ms).toLocaleTimeString("id-ID", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: "Asia/Jakarta" });

const TICKS = { sent: ["✓", "terkirim / sent"], delivered: ["✓✓", "sampai / delivered"], read: ["✓✓", "dibaca / read"], failed: ["!", "gagal / failed"] };
const WAYS = { comment: "komentar / comment", mention: "sebutan / mention", post: "kiriman di halaman / post on the page", review: "ulasan / review" };
const VIA = { counter: "tatap muka / face to face", phone: "telepon / telephone", letter: "surat / letter", box: "kotak saran / suggestion box" };
const IDEAS = {
  id: ["Antrean paspor terlalu lama", "Petugas loket tidak ramah", "Bagaimana status aduan saya?"],
  en: ["My visa extension is late", "I was asked for extra money", "Any news about my complaint?"],
};
const PUBLIC_IDEAS = ["Sudah tiga jam antre, kecewa!", "Kenapa paspor saya belum jadi?"];

const toast = text => {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { $("toast").hidden = true; }, 6000);
};

const call = async (path, body) => {
  const options = body === undefined ? {} : { method: "POST", headers: { "X-Sandbox": "1" }, body: JSON.stringify(body) };
  const answer = await fetch(path, options);
  const result = await answer.json();
  if (!answer.ok) throw new Error(result.error || answer.statusText);
  return result;
};

const encode = chosen => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done({ name: chosen.name, type: chosen.type, data: reader.result.split(",")[1] || "" });
  reader.onerror = () => failed(reader.error);
  reader.readAsDataURL(chosen);
});

const attachment = f => {
  const image = /^image\/(png|jpeg)/.test(f.type || "");
  const link = el("a", { href: f.url, target: "_blank", rel: "noopener" });
  link.append(image ? el("img", { src: f.url, alt: f.name }) : (f.type === "text/html" ? "↗ " : "⤓ ") + f.name);
  return link;
};

const notes = m => [
  m.template && "templat / template",
  m.auto && !m.mine && "otomatis / automatic",
  m.ours && "kantor, di muka umum / the office, in public",
  m.private_reply_to && "↳ balasan pribadi atas komentar / private reply to the comment",
  m.carried && "disampaikan petugas / carried over",
  m.via && m.mine && VIA[m.via],
  m.note,
  !m.mine && m.threaded && "↳ utas yang sama / same thread",
].filter(Boolean);

/* One side: kind is "public" or "private". after() is called once something was sent. */
class Pane {
  constructor(kind, person, after) {
    const root = $("pane").content.firstElementChild.cloneNode(true);
    Object.assign(this, { kind, person, after, root, reply: null, file: null, shown: "" });
    this.list = root.querySelector(".thread");
    this.form = root.querySelector("form");
    this.text = root.querySelector("textarea");
    this.subject = root.querySelector(".subject input");
    this.way = root.querySelector(".way select");
    this.picker = root.querySelector(".clip input");
    this.fields = root.querySelector(".fields");
    root.classList.add(kind, person.channel);
    this.dress();
    this.listen();
  }

  find(name) { return this.root.querySelector(name); }

  dress() {
    const { person, kind } = this, two = person.public.length > 0;
    const mail = person.channel === "email" || person.channel === "maildir", portal = person.channel.startsWith("lapor");
    const title = kind === "public" ? ["Di muka umum", "In public: everybody reads it"] : ["Pesan pribadi", "Private messages"];
    this.find(".pane-title").append(...(two ? [title[0], english(title[1])] : []));
    this.find(".pane-title").hidden = !two;
    this.find(".subject").hidden = !mail && !portal;
    this.root.classList.toggle("mail", mail || portal || person.channel === "counter");
    this.find(".clip").hidden = kind === "public" || portal;
    this.text.placeholder = kind === "public" ? "Tulis di muka umum… / in public…" : person.fields.length ? "Yang dikatakan atau ditulis warga… / what the citizen says…" : "Tulis aduan… / write a complaint…";
    if (kind === "public" && person.public.length > 1) {
      this.find(".way").hidden = false;
      this.way.append(...person.public.map(w => el("option", { value: w, textContent: WAYS[w] || w })));
    }
    if (person.fields.length) this.intake();
    const ideas = kind === "public" ? PUBLIC_IDEAS : IDEAS[person.language];
    this.find(".ideas").append(...ideas.map(text => {
      const button = el("button", { type: "button", textContent: text });
      button.onclick = () => { this.text.value = text; if (!this.find(".subject").hidden && !this.reply) this.subject.value = text; this.text.focus(); };
      return button;
    }));
  }

  /* The form of the counter. */
  intake() {
    const field = (name, label, node) => el("label", {}, label, Object.assign(node, { name }));
    const choices = (list, first) => el("select", {}, ...[...(first ? [["", first]] : []), ...list].map(([value, text]) => el("option", { value, textContent: text })));
    this.fields.hidden = false;
    this.fields.append(
      field("channel", "Lewat / by", choices(Object.entries(VIA))),
      field("identity", "Identitas / ID shown", choices([["KTP", "KTP"], ["SIM", "SIM"], ["Paspor", "Paspor"]], "–")),
      field("name", "Nama / name", el("input", { value: this.person.name, maxLength: 100 })),
      field("phone", "Telepon / phone", el("input", { inputMode: "tel", maxLength: 30 })),
      field("address", "Alamat / address", el("input", { maxLength: 200 })),
      el("label", { className: "check" }, el("input", { type: "checkbox", name: "incomplete" }), "catat walau belum lengkap / log though incomplete"));
  }

  listen() {
    const [unquote, unchoose] = [this.find(".quoted button"), this.find(".chosen button")];
    unquote.onclick = () => this.setReply(null);
    unchoose.onclick = () => this.setFile(null);
    this.picker.onchange = () => this.setFile(this.picker.files[0] || null);
    this.text.onkeydown = event => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.form.requestSubmit();
    };
    this.form.onsubmit = event => { event.preventDefault(); this.send(); };
  }

  async send() {
    const button = this.find(".send");
    button.disabled = true;
    this.find(".refused").hidden = true;
    try {
      if (this.file && this.file.size > 8 * 1024 * 1024) throw new Error("Lampiran terlalu besar (8 MiB) / attachment too large");
      const body = { who: this.person.key, text: this.text.value, subject: this.subject.value, reply_to: this.reply && this.reply.id, file: this.file && await encode(this.file) };
      if (this.kind === "public") body.public = this.way.value || this.person.public[0];
      this.fields.querySelectorAll("[name]").forEach(f => { body[f.name] = f.type === "checkbox" ? f.checked : f.value; });
      const result = await call(this.person.fields.length ? "/api/intake" : "/api/write", body);
      if (result.number) toast(`${result.number}: tanda terima dicetak / receipt printed`);
      this.text.value = this.subject.value = "";
      this.setReply(null);
      this.setFile(null);
    } catch (e) {
      this.find(".refused").textContent = e.message.replace(/^aduanctl: /, "");
      this.find(".refused").hidden = false;
    }
    button.disabled = false;
    this.text.focus();
    this.after();
  }

  setReply(message) {
    this.reply = message;
    this.find(".quoted").hidden = !message;
    if (message) this.find(".quoted span").textContent = "↩ " + (message.subject || message.text || "…");
    if (this.kind === "public" && this.person.public.length > 1) this.find(".way").hidden = Boolean(message);
  }

  setFile(chosen) {
    this.file = chosen;
    this.find(".chosen").hidden = !chosen;
    if (chosen) this.find(".chosen span").textContent = `${chosen.name} (${Math.ceil(chosen.size / 1024)} KiB)`;
    else this.picker.value = "";
  }

  bubble(m, all) {
    const node = el("li", { className: `bubble ${m.mine ? "mine" : "theirs"}${m.ours ? " ours" : ""}` });
    const before = m.reply_to && all.find(o => o.id === m.reply_to);
    if (m.name && !m.mine) node.append(el("h4", { textContent: m.name }));
    if (m.subject) node.append(el("h4", { textContent: m.subject }));
    if (before && !this.root.classList.contains("mail")) node.append(el("blockquote", { textContent: before.text || before.type || "" }));
    m.files.forEach(f => node.append(attachment(f)));
    if (m.text) node.append(el("p", { textContent: m.text.trim() }));
    const meta = el("div", { className: "meta" }, ...notes(m).map(text => el("span", { textContent: text })));
    const button = el("button", { type: "button", textContent: "balas / reply" });
    button.onclick = () => { this.setReply(m); this.text.focus(); };
    if (!m.mine && !this.person.fields.length && this.person.channel !== "lapor" && !(this.person.channel === "x" && this.kind === "private")) meta.append(button);
    meta.append(el("time", { textContent: clock(m.at) }));
    const tick = TICKS[m.status];
    if (tick && !m.mine) meta.append(el("span", { className: "ticks " + m.status, textContent: `${tick[0]} ${tick[1]}` }));
    node.append(meta);
    return node;
  }

  empty() {
    const words = this.kind === "public" ? ["Belum ada tulisan di muka umum. ", "Nothing in public yet."] : ["Belum ada pesan. Tulislah aduan di bawah. ", "No messages yet. Write a complaint below."];
    const node = el("li", { className: "empty", textContent: words[0] });
    node.append(english(words[1]));
    return node;
  }

  post(p) {
    return el("li", { className: p.mine ? "post mine" : "post" }, el("b", { textContent: p.name }), el("p", { textContent: p.text }));
  }

  rows(said) {
    if (this.kind === "private") return said.map(m => this.bubble(m, said));
    return said.flatMap(g => [this.post(g.post), ...g.comments.map(c => this.bubble(c, g.comments))]);
  }

  /* said: messages, or groups of comments under a post. Returns how many came from the office. */
  show(said) {
    const now = JSON.stringify(said), all = this.kind === "private" ? said : said.flatMap(g => g.comments);
    if (now !== this.shown) {
      const list = this.list, below = list.scrollHeight - list.scrollTop - list.clientHeight < 80, rows = this.rows(said);
      this.shown = now;
      list.replaceChildren(...(rows.length ? rows : [this.empty()]));
      if (below || !list.scrollTop) list.scrollTop = list.scrollHeight;
    }
    return all.filter(m => this.kind === "private" ? !m.mine : m.ours).length;
  }
}
