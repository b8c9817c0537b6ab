# Tanpa API: hanya batas dan nama kolom. Without an API: only limits.
[profile]
name = assisted

[limits]
reply_max_chars = 1000
attach_max = 5
attach_max_bytes = 5242880
attach_types = jpg,jpeg,png,pdf,doc,docx
