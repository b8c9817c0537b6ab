/*
 * query.h: query strings, both ways.
 */
#ifndef ADUAN_QUERY_H
#define ADUAN_QUERY_H

#include "kit/text.h"

/* n bytes of a query or a form, decoded (also '+' to a space). New string, ended by a NUL byte in it. */
char *query_decode(const char *s, size_t n);

/* The decoded value of the first `name` in "a=b&c=d"; names are decoded before they are compared.
 * New string (NUL bytes end it), or NULL: not there. */
char *query_get(const char *query, const char *name);

/* Appends s percent-encoded: all but A-Z a-z 0-9 - . _ ~ (RFC 3986). */
void query_escape(struct text *t, const char *s);

#endif
