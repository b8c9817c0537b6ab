# SP4N-LAPOR! lewat SPLP, seperti yang dipakai satu integrator pada 2025-2026. Semua kemampuan mati: nyalakan satu per
# satu setelah dicoba di sandbox. Everything is off: switch on one by one, after a try against the sandbox.
# Periksa / check: aduand -n; aduand -c aduan.conf -t lapor BERKAS-JSON

[profile]
name = splp-v3
base_url = https://api-splp.layanan.go.id/lapor/3.0.0
# Id instansi sendiri: tindak lanjut darinya adalah jawaban kita / our own institution: its follow-ups are our answers
institution =

[http]
total_timeout = 90
max_body = 8388608
per_minute = 30
pages = 50

# Alamat daftar laporan satu instansi tidak diketahui umum: tanyakan kepada pengelola LAPOR!.
# Where the list of one institution's reports is, is not public: ask LAPOR's operator.
[cap.list]
enabled = no
method = GET
path =
query = page={page}&page_size=100
items = /results/data
next = /results/next_page_url
next_kind = url
# Bila daftarnya menerima "berubah sejak" / where it takes "changed since": since_param = nama; since_format = date | stamp | seconds
since_param =

[cap.detail]
enabled = no
method = GET
path = /complaints/{id}/complaint
root = /results/data

[cap.followups]
enabled = no
method = GET
path = /complaints/{id}/followups
query = page={page}
items = /results/data
next = /results/next_page_url
next_kind = url

[cap.reply]
enabled = no
method = POST
path = /complaints/followup/add
encoding = multipart
file_part = attachment[{n}]

# Bila dinyalakan, lampiran diunggah lebih dahulu dan nomornya ditulis [map.reply] dengan {attachment_ids}, mis. untuk
# [cap.reply] encoding = json / when on, files go up first and [map.reply] names their ids, as with encoding = json:
#   attachments = {attachment_ids}|none("false")|json_array|suffix(".")|json
[cap.upload]
enabled = no
method = POST
path = /complaints/complaint/file
encoding = multipart
file_part = attachments[]
ids = /results/images/*/id,/results/docs/*/id

[cap.masters.institutions]
enabled = no
path = /masters/institutions/external
query = page_size=1000
items = /results/data
id = /id
name = /name

[map.in]
remote_id = /complaint_id|/id
item_id = /id
title = /title
body = /content|/template_content
created = /created_at|/date:fmt(%d-%m-%Y %H:%M:%S)
status = /status_name|/status_code
from = /institution_from_id/id|/institution_from_id
anonymous = /is_anonymous:bool
secret = /is_secret:bool
event_date = /date_of_incident
files = /attachments

# Nilai tetap (user_id, institution_*) diberikan pengelola LAPOR! / constants that LAPOR's operator gives
[map.reply]
content = {reply_text}
complaint_id = {remote_id}
rating = 0
is_secret = {secret:0|1}

[status.map]
"Belum Terverifikasi" = baru
"Terverifikasi" = diterima
"Sudah Terverifikasi" = diterima
"Dalam Proses" = diproses
"Selesai" = selesai
"Ditunda" = menunggu_pengadu
"Diarsipkan" = ditutup
default = periksa_manual

[limits]
reply_max_chars = 1000
attach_max = 5
attach_max_bytes = 5242880
attach_types = jpg,jpeg,png,pdf,doc,docx

[ok]
http = 200-299
# Jawaban 200 yang berkata tidak: success = false, status = error | gagal | 4xx / an answer 200 that says no
json_false = /success|/status
error_text = /message|/error|/errors
