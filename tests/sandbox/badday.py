"""badday.py: what goes wrong on purpose, each for a while, and back again by itself."""
import json
import threading
import time

DAYS = {
    "graph-down": ("Graph mati 30 detik", "Graph is down for 30 s", 30),
    "token": ("Token WhatsApp ditolak 30 detik", "WhatsApp token is refused for 30 s", 30),
    "redis": ("Redis berhenti 60 detik", "Redis stops for 60 s", 60),
    "repeat": ("Graph mengulang pesan terakhir 8 kali", "Graph repeats the last message 8 times", 0),
    "cut": ("Jawaban berikut: diterima, lalu putus", "Next answer: accepted, then the line is cut", 0),
    "hook-lost": ("Pesan ditahan 20 detik, lalu datang terbalik", "Messages held for 20 s, then in reverse order", 20),
}


class BadDays:
    def __init__(self, office, graph):
        self.office, self.graph = office, graph
        self.until, self.lock = {}, threading.Lock()
        self.timers = []
        self.restored = {}

    def shown(self):
        now = time.time()
        return [{"key": k, "id": d[0], "en": d[1], "left": max(0, round(self.until.get(k, 0) - now))} for k, d in DAYS.items()]

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
        for on in ("messages", "media", "link", "bytes", "number"):
            self.graph.fault(on=on, do="cut-before", times=10**6)

    def end_graph_down(self):
        with self.graph.lock:
            self.graph.faults[:] = [f for f in self.graph.faults if f["times"] < 1000]

    def begin_token(self):
        self.restored["token"], self.graph.token = self.graph.token, "ditolak"

    def end_token(self):
        self.graph.token = self.restored["token"]

    def begin_redis(self):
        self.office.redis.stop()

    def end_redis(self):
        self.office.start_redis()

    def begin_repeat(self):
        """The very bytes of the last message, eight times at once."""
        body = self.last_body()
        if body:
            for _ in range(8):
                threading.Thread(target=self.graph.post, args=(body,), daemon=True).start()

    def last_body(self):
        with self.graph.lock:
            written = [(m["at"], c, m) for c in self.graph.citizens for m in c.thread
                       if m["side"] == "citizen" and m["type"] == "text"]
            if not written:
                return None
            at, c, m = max(written, key=lambda w: w[0])
            message = {"id": m["id"], "timestamp": str(at // 1000), "type": "text", "text": {"body": m["text"]}}
            self.graph.address(message, c, "from", "from_user_id")
            value = {"contacts": [self.graph.contact(c)], "messages": [message]}
            return json.dumps(self.graph.envelope([self.graph.change("messages", value)])).encode()

    def begin_cut(self):
        self.graph.fault(on="messages", do="cut-after")

    def begin_hook_lost(self):
        self.graph.hold()

    def end_hook_lost(self):
        self.graph.release(batch=True, reverse=True)
