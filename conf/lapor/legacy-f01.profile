# Contoh saja, layanan ini mungkin sudah tiada: generasi kedua (f01), baca saja.
# A demonstration only, the service is probably gone: the second generation (f01), read only.
[profile]
name = legacy-f01
base_url = https://www.lapor.go.id/api/services/f01

[map.in]
remote_id = /TrackingID|/id
body = /isi|/topic_name
