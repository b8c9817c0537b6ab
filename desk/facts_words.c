/* facts_words.c: what each word may be; see facts_words.h. Words stand here as fold.c leaves them. */
#include "desk/facts_words.h"

#include "kit/text.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    unsigned kinds;
    const char *words;
} table[] = {
    { W_STREET | W_SHORT | W_NO_NAME,
      "jl jln jalan jlan g gang lr lorong perum perumahan perumnas komp komplek "
      "kompleks griya blok blk ruko rusun rusunawa stret road rd lane avenue st" },
    { W_VENUE | W_NO_NAME,
      "hotel kos kost kosan mes wisma vila vila apartemen apartment homestay resort asrama pondok "
      "losmen condo guesthouse guest hostel kontrakan panti cluster unit lantai kamar rom" },
    { W_HOUSE | W_SHORT | W_NO_NAME, "rt rw no nomor nomer nmr" },
    { W_KM | W_SHORT | W_NO_NAME, "km kilometer" },
    { W_ADMIN | W_SHORT | W_NO_NAME,
      "kel kelurahan kec kecamatan kab kabupaten kota prov provinsi propinsi kep" },
    { W_HAMLET | W_SHORT | W_NO_NAME, "kp kampung kampong kmp desa dusun lingk lingkungan pulau dsn" },
    { W_SHORT, "tg tj sei st ir sh se m spd skom amd prof drs dra kt rsud sri" },
    { W_TITLE | W_SHORT, "h hj dr drg ir drs dra prof kh ust ustad ustadz tengku raja wan datuk" },
    { W_ADDRESS | W_SHORT,
      "pak bapak bpk bu ibu sdr sdri saudara saudari mr mrs ms mis bang abang kak kakak encik puan "
      "tuan cik mas mbak om tante sir madam" },
    { W_CALL | W_STOP | W_NO_NAME,
      "hp wa telp tlp telepon telpon whatsap email surel tel phone mobile fax nik ktp "
      "handphone nohp nowa cp kontak contact mail" },
    { W_STOP | W_NO_NAME,
      "saya sy aku gw gue kami kita telah sudah sdh udh udah belum blm yang yg tetapi tapi karena krn untuk "
      "utk buat "
      "mengajukan mohon minta meminta tolong tidak tdk ga gak ngak tak adalah dengan dgn mau ingin hendak "
      "akan ini itu "
      "masih kapan kenapa mengapa bagaimana gimana gmn padahal sejak sebab agar supaya bahwa hinga sampai "
      "ketika sat "
      "waktu lalu kemudian juga jg aja saja nya ya sih kok dong deh lah pun nih tu ni bisa dapat bs dpt harus "
      "i my me we our you your and but or the is are was were have has had not please since for because to at "
      "in on "
      "from that this it he she they when how what who why would could can wil ben be thank thanks regards "
      "makasih terima kasih trims salam hormat wasalam tangal tgl pukul jam hari tadi kemarin kmrn kemaren "
      "besok "
      "ingat sekarang skrg pernah sempat datang pergi melapor melaporkan lapor mengeluh menyampaikan pengaduan "
      "keluhan "
      "keberatan ditolak ditunda ditahan dilarang disuruh diminta dimintai menjadi mengalami merasa kecewa "
      "petugas pegawai oficer staf paspor pasport pasport visa isi perihal hal kepada yth dear helo helo "
      "hi halo "
      "selamat pagi siang sore malam asalamualaikum asalamu alaikum warga mengurus urus perpanjang bayar "
      "dijanjikan "
      "menungu nungu dipersulit nak dah saja hanya cuma semua banyak ada punya jangan jgn jadi bukan tanpa "
      "setelah "
      "sebelum adik anak istri suami orang keponakan sepupu hilang rusak salah beda tertulis dibuka disebut "
      "dirahasiakan disembunyikan muncul dicetak terdaftar dipakai digunakan berubah terlambat" },
    { W_NO_NAME,
      "di ke dari pada dan oleh atas dalam kantor imigrasi admin min kepala seksi tim team bagian pengelola "
      "layanan "
      "pelayanan informasi alamat almt nama name adres adres umur thn tahun pt cv bank best kind sincerely "
      "faithfuly "
      "yours sign sent a an of by as with about again also any ask help ned want get got let very much more "
      "indonesia "
      "malaysia singapore singapura english dl dst ok oke siap sip mantap parah bohong gila anonim rahasia "
      "hamba alah "
      "info slot antrian antrean kuota aplikasi ap otp server kitas kitap itas itap voa evoa ac toilet sms "
      "urgent penting segera viral viralkan publik masyarakat umum mongo ayo wow lol status proses "
      "test tes testing cek coba ping p y n td tertanda pelapor pengadu pemohon penelepon the sangat sekali "
      "lama cepat baik buruk jelek bagus ramah mahal nol satu dua tiga empat lima enam tujuh "
      "senin selasa rabu kamis jumat sabtu mingu monday tuesday wednesday thursday friday saturday sunday "
      "only new old same sure stil already nothing something someone anyone everyone writing trying waiting "
      "going "
      "coming unable very realy so sory here there caling asking woried concerned "
      "berharap heran bingung marah kesal ditanya dapat merupakan seorang sebagai selaku sebenarnya memang "
      "sering baru "
      "wrong incorect mispeled speled writen printed listed mising mistyped malaysian singaporean british "
      "indonesian chinese "
      "australian american german dutch french indian japanese korean filipino wni wna tki tkw pmi cpmi asn "
      "pns tni polri "
      "shame why terible ridiculous unbelievable hopeless disapointing seriously pathetic tolonglah sumpah "
      "ampun hadeh "
      "loket konter kaunter counter kursi meja pintu batu uang biaya "
      "sudahlah tadi yakin rasa kira harap tahu tau lihat dengar baca punya pribadi sendiri sama bayi lansia" },
    { W_JOB | W_NO_NAME,
      "manager manajer direktur director staf front ofice supervisor owner pemilik hrd hr admin "
      "ketua sekretaris bendahara karyawan mahasiswa mahasiswi guru dosen nelayan wiraswasta "
      "ngo lsm komunitas forum" },
    { W_MONTH | W_NO_NAME,
      "januari februari pebruari maret april mei juni juli agustus september oktober november "
      "nopember desember january february march may june july august october december" },
};

struct known {
    const char *word;
    size_t n;
    unsigned kinds;
};

enum { KNOWN_MAX = 1000 };

/* The table as one sorted list, made once with the places. */
struct words_known {
    size_t count;
    struct known list[KNOWN_MAX];
};

static int by_word(const void *a, const void *b) {
    const struct known *x = a, *y = b;
    int c = memcmp(x->word, y->word, x->n < y->n ? x->n : y->n);
    return c != 0 ? c : x->n < y->n ? -1 : x->n > y->n;
}

static size_t known_list(struct known *list) {
    size_t count = 0;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        for (const char *s = table[i].words; *s && count < KNOWN_MAX; s += strspn(s, " ")) {
            size_t n = strcspn(s, " ");
            list[count++] = (struct known){ s, n, table[i].kinds };
            s += n;
        }
    }
    qsort(list, count, sizeof *list, by_word);
    size_t out = 0;
    for (size_t i = 0; i < count; i++) { /* a word that stands twice is both */
        if (out > 0 && by_word(&list[out - 1], &list[i]) == 0) {
            list[out - 1].kinds |= list[i].kinds;
        } else {
            list[out++] = list[i];
        }
    }
    return out;
}

struct words_known *words_known_new(void) {
    struct words_known *k = xcalloc(1, sizeof *k);
    k->count = known_list(k->list);
    return k;
}

static unsigned shape(const char *word, const char *source) {
    size_t bytes;
    unsigned first = fold_codepoint(source, &bytes);
    unsigned kinds = (first >= 'A' && first <= 'Z') || (first >= 0xC0 && first <= 0xDE) ? W_CAPITAL : 0;
    return kinds | (word[strspn(word, "0123456789")] == '\0' ? W_NUMBER : 0);
}

static void mark_places(const struct places *p, struct words *w) {
    static const struct {
        int kind;
        unsigned mark;
    } marks[] = { { PLACES_AREA, W_AREA }, { PLACES_CITY, W_CITY }, { PLACES_LANDMARK, W_LANDMARK } };
    struct lexicon_hits *h = lexicon_find(p->lexicon, &w->f);
    for (size_t k = 0; k < sizeof marks / sizeof marks[0]; k++) {
        int pattern = p->patterns[marks[k].kind];
        for (size_t i = 0, word, n; pattern >= 0 && lexicon_place(p->lexicon, h, pattern, i, &word, &n); i++) {
            for (size_t j = word; j < word + n; j++) {
                w->kinds[j] |= marks[k].mark;
            }
        }
    }
    lexicon_hits_free(h);
}

void words_read(const struct places *p, const char *text, struct words *ret) {
    const struct known *list = p->known->list;
    size_t count = p->known->count;
    ret->text = text;
    fold_text(NULL, text, &ret->f);
    ret->kinds = xcalloc(ret->f.count + 1, sizeof *ret->kinds);
    for (size_t i = 0; i < ret->f.count; i++) {
        struct known key = { ret->f.words[i].text, strlen(ret->f.words[i].text), 0 };
        const struct known *k = bsearch(&key, list, count, sizeof *list, by_word);
        /* "II" folds to "i" but is a number of a street, not a word. */
        bool roman = strncmp(text + ret->f.words[i].from, "II", 2) == 0;
        ret->kinds[i] = shape(ret->f.words[i].text, text + ret->f.words[i].from) | (k && !roman ? k->kinds : 0);
    }
    mark_places(p, ret);
}

void words_clear(struct words *w) {
    fold_clear(&w->f);
    free(w->kinds);
    *w = (struct words){ .text = NULL };
}

const char *words_gap(const struct words *w, size_t i, size_t *ret_bytes) {
    size_t from = i == 0 ? 0 : w->f.words[i - 1].to;
    size_t to = i < w->f.count ? w->f.words[i].from : from + strcspn(w->text + from, "\n");
    *ret_bytes = to > from ? to - from : 0;
    return w->text + from;
}

bool words_gap_has(const struct words *w, size_t i, const char *any_of) {
    size_t n;
    const char *gap = words_gap(w, i, &n);
    for (size_t k = 0; k < n; k++) {
        if (strchr(any_of, gap[k])) {
            return true;
        }
    }
    return false;
}

bool words_line_begins(const struct words *w, size_t i) {
    return i == 0 || words_gap_has(w, i, "\n");
}

bool words_sentence_begins(const struct words *w, size_t i) {
    bool short_stop = i > 0 && (w->kinds[i - 1] & (W_SHORT | W_TITLE)) != 0;
    return words_line_begins(w, i) || words_gap_has(w, i, "!?") || (!short_stop && words_gap_has(w, i, "."));
}

size_t words_are(const struct words *w, size_t i, const char *phrase) {
    size_t count = 0;
    for (const char *s = phrase; *s; count++) {
        size_t n = strcspn(s, " ");
        if (i + count >= w->f.count || strncmp(w->f.words[i + count].text, s, n) != 0 ||
            w->f.words[i + count].text[n] != '\0') {
            return 0;
        }
        s += n + (s[n] == ' ');
    }
    return count;
}

size_t words_are_one(const struct words *w, size_t i, const char *const *phrases) {
    size_t n = 0;
    for (; *phrases && n == 0; phrases++) {
        n = words_are(w, i, *phrases);
    }
    return n;
}

char *words_copy(const struct words *w, size_t first, size_t end, size_t max) {
    if (first >= end || end > w->f.count) {
        return NULL;
    }
    size_t from = w->f.words[first].from, to = w->f.words[end - 1].to;
    return text_clean_line(w->text + from, to - from, max);
}
