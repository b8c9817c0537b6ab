/* sandbox.js: plays the citizen and shows what comes back; asks the sandbox once a second. */
"use strict";

/* Of a channel: its name, the letter on the face, the short name. */
const CHANNELS = {
  whatsapp: ["WhatsApp", "W"], email: ["Surel / e-mail", "@", "Surel"], maildir: ["Surel, kotak kedua / e-mail, second box", "@", "Surel 2"],
  instagram: ["Instagram", "IG"], facebook: ["Facebook", "f"], x: ["X / Twitter", "X", "X"], lapor: ["SP4N-LAPOR!, tanpa API / by hand", "L!", "LAPOR!"],
  "lapor-api": ["SP4N-LAPOR!, lewat API / by its API", "L!", "LAPOR! API"], counter: ["Loket / counter", "⌂", "Loket"],
};

let people = [], who = null, seen = {}, panes = {}, side = "private", timer = null, busy = false;

const person = () => people.find(p => p.key === who);

const showPeople = () => {
  $("people").replaceChildren(...people.map(p => {
    const [channel, face, short] = CHANNELS[p.channel] || [p.channel, "?"];
    const button = el("button", { type: "button", title: `${p.name}, ${channel}` },
      el("span", { className: "face " + p.channel, textContent: face, ariaHidden: "true" }),
      el("span", { className: "who" }, el("b", { textContent: p.name.split(" ")[0] }), el("small", { textContent: short || channel })));
    button.setAttribute("aria-pressed", p.key === who);
    button.onclick = () => choose(p.key);
    button.append(el("span", { className: "news", hidden: true, title: "ada jawaban baru / a new answer", textContent: "•" }));
    return button;
  }));
};

/* A dot at everybody to whom something came back since one looked. */
const showNews = counts => {
  seen[who] = counts[who];
  people.forEach((p, i) => { $("people").children[i].querySelector(".news").hidden = (counts[p.key] || 0) <= (seen[p.key] || 0); });
};

/* On a narrow screen one side is seen at a time. */
const showSides = counts => {
  const words = { public: "Di muka umum / public", private: "Pribadi / private" };
  $("sides").hidden = !panes.public;
  $("panes").dataset.side = panes.public ? side : "private";
  const now = JSON.stringify([who, side, counts]);
  if (now === showSides.shown) return;
  showSides.shown = now;
  $("sides").replaceChildren(...Object.keys(words).map(name => {
    const button = el("button", { type: "button" }, words[name], el("span", { className: "count", hidden: !counts[name], textContent: counts[name] || "", title: "jawaban kantor / answers of the office" }));
    button.setAttribute("aria-pressed", name === side);
    button.onclick = () => { side = name; showSides(counts); };
    return button;
  }));
};

const choose = key => {
  who = key;
  localStorage.setItem("who", key);
  showPeople();
  const p = person();
  panes = p.public.length ? { public: new Pane("public", p, refresh) } : {};
  panes.private = new Pane("private", p, refresh);
  side = p.public.length ? "public" : "private";
  $("panes").replaceChildren(...Object.values(panes).map(pane => pane.root));
  showSides({});
  refresh();
};

const showHead = state => {
  const p = state.person, left = (state.window_until || 0) - Date.now();
  const parts = [el("b", { textContent: [p.name, p.phone || p.address || (p.username ? "@" + p.username : CHANNELS[p.channel][0])].filter(Boolean).join(" · ") })];
  if (state.window_until) {
    const text = left > 0 ? `jendela balas ${Math.floor(left / 3600000)} j ${Math.floor(left / 60000) % 60} m / reply window` : "jendela balas tertutup / reply window closed";
    const button = el("button", { type: "button", className: "read", textContent: "Baca semua / read all" });
    button.onclick = () => call("/api/read", { who }).then(refresh, e => toast(e.message));
    parts.push(el("small", { textContent: text }), button);
  }
  if (state.fault) parts.push(el("p", { className: "fault", textContent: state.fault }));
  const now = parts.map(h => h.textContent).join("|");
  if (showHead.shown !== now) $("chat-head").replaceChildren(...parts);
  showHead.shown = now;
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
    if (asked === who) {
      showHead(state);
      const counts = { private: panes.private.show(state.thread) };
      if (panes.public) counts.public = panes.public.show(state.public || []);
      showSides(counts);
    }
    if (asked === who) showNews(state.counts);
    showDesk(state);
    showDays(state.days);
    showLamps(state.up);
  } catch (e) {
    showLamps({ "bak pasir / sandbox": false });
  }
  busy = false;
  timer = setTimeout(refresh, document.hidden ? 5000 : asked === who ? 1000 : 0);
};

const asked_for = new URLSearchParams(location.search);
document.querySelectorAll("[role=tab]").forEach(tab => {
  tab.onclick = () => {
    document.querySelector("main").dataset.part = tab.dataset.part;
    document.querySelectorAll("[role=tab]").forEach(t => t.setAttribute("aria-selected", t === tab));
  };
  if (asked_for.get("part") === tab.dataset.part) tab.onclick();
});

call("/api/people").then(list => {
  people = list;
  const wanted = asked_for.get("who") || localStorage.getItem("who");
  choose(people.some(p => p.key === wanted) ? wanted : people[0].key);
}, e => toast(e.message));
