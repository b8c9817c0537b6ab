"""badday.py: what goes wrong on purpose, each for a while, and back again by itself."""
import collections
import threading
import time

DAYS = {
    "graph-down": ("Semua platform menjawab 503, 30 detik", "Every platform answers 503 for 30 s", 30),
    "token": ("Semua token ditolak 30 detik", "Every token is refused for 30 s; tried again each minute", 30),
    "redis": ("Redis berhenti 60 detik", "Redis stops for 60 s", 60),
    "repeat": ("Semua dikirim 8 kali, 30 detik", "Everything is delivered 8 times for 30 s", 30),
    "cut": ("Jawaban WhatsApp berikut: diterima, lalu putus", "Next WhatsApp answer: accepted, then the line is cut", 0),
    "hook-lost": ("Pesan ditahan 20 detik, lalu datang terbalik", "Messages held for 20 s, then in reverse order", 20),
    "hook-gone": ("Webhook X hilang 30 detik; X tetap dibaca berkala", "X's webhooks get lost for 30 s; polling goes on", 30),
}
COPIES, KEPT = 8, 3
EVERYWHERE = ("messages", "media", "link", "bytes", "number", "upload", "comments", "read", "account", "subscribed", "refresh",
              "debug", "conversations", "dm", "posts", "mentions", "dm_events", "dm_lookup", "lookup", "me", "webhooks", "reply", "list",
              "detail", "followups")
FOR_EVER = 10**6
AWAY = {"do": "error", "status": 503}
OTHERS_AWAY = {**AWAY, "body": {"title": "Service Unavailable", "type": "about:blank", "status": 503}}
META_AWAY = {**AWAY, "code": 2, "transient": True, "message": "Service temporarily unavailable"}


class Line:
    """Between a stand-in and our webhook: remembers what was delivered last, delivers it again, holds or loses it."""

    def __init__(self, stand):
        way = "post" if hasattr(stand, "deliver_for_ever") else "tell"  # Meta's, X's
        self.post = getattr(stand, way)
        self.last, self.held, self.copies, self.lost, self.holding = collections.deque(maxlen=KEPT), [], 1, False, False
        setattr(stand, way, self.deliver)

    def deliver(self, body, **more):
        if self.holding:
            self.held.append(body)
        if self.lost or self.holding:
            return 200
        status = self.post(body, **more)
        self.last.append(body)
        self.again([body], self.copies - 1)
        return status

    def again(self, bodies, times):
        for body in list(bodies) * times:
            threading.Thread(target=self.post, args=(body,), daemon=True).start()

    def release(self):
        held, self.held, self.holding = self.held[::-1], [], False
        for body in held:
            self.post(body)


class BadDays:
    def __init__(self, office, stands):
        """stands: name of the account -> stand-in."""
        self.office, self.stands = office, stands
        self.until, self.lock = {}, threading.Lock()
        self.timers = []
        self.restored = {}
        self.lines = {name: Line(s) for name, s in stands.items() if hasattr(s, "hook")}

    def shown(self):
        now = time.time()
        return [{"key": k, "id": d[0], "en": d[1], "left": max(0, round(self.until.get(k, 0) - now))}
                for k, d in DAYS.items() if k != "hook-gone" or "x" in self.stands]

    def start(self, key):
        """Begins a bad day; nothing when it already lasts."""
        seconds = DAYS[key][2]
        with self.lock:
            if self.until.get(key, 0) > time.time():
                return
            self.until[key] = time.time() + seconds
        getattr(self, "begin_" + key.replace("-", "_"))()
        if seconds:
            timer = threading.Timer(seconds, getattr(self, "end_" + key.replace("-", "_")))
            timer.daemon = True
            self.timers.append(timer)
            timer.start()

    def stop(self):
        for timer in self.timers:
            timer.cancel()

    def begin_graph_down(self):
        for stand in self.stands.values():
            away = META_AWAY if hasattr(stand, "deliver_for_ever") else OTHERS_AWAY
            for on in EVERYWHERE:
                stand.fault(on=on, times=FOR_EVER, **away)

    def end_graph_down(self):
        for stand in self.stands.values():
            with stand.lock:
                stand.faults[:] = [f for f in stand.faults if f["times"] < FOR_EVER // 2]

    def begin_token(self):
        for name, stand in self.stands.items():
            self.restored[name], stand.token = stand.token, "ditolak"

    def end_token(self):
        for name, stand in self.stands.items():
            stand.token = self.restored[name]

    def begin_redis(self):
        self.office.redis.stop()

    def end_redis(self):
        self.office.start_redis()

    def begin_repeat(self):
        """The very bytes of what was delivered last, and of all that follows, eight times each."""
        for line in self.lines.values():
            line.again(line.last, COPIES)
            line.copies = COPIES

    def end_repeat(self):
        for line in self.lines.values():
            line.copies = 1

    def begin_cut(self):
        self.stands["wa"].fault(on="messages", do="cut-after")

    def begin_hook_lost(self):
        for line in self.lines.values():
            line.holding = True

    def end_hook_lost(self):
        for line in self.lines.values():
            line.release()

    def begin_hook_gone(self):
        self.lines["x"].lost = True

    def end_hook_gone(self):
        self.lines["x"].lost = False
