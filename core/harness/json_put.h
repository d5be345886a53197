/* Building JSON without a check at every line: a failure sticks in *ok. */
#ifndef INVBENCH_HARNESS_JSON_PUT_H
#define INVBENCH_HARNESS_JSON_PUT_H

#include "json.h"

/* Adds item (consumed) to object o under key, or to array o where key is
 * NULL. Returns the item, NULL after a failure. */
cJSON *ib_put(bool *ok, cJSON *o, const char *key, cJSON *item);
cJSON *ib_put_object(bool *ok, cJSON *o, const char *key);
cJSON *ib_put_array(bool *ok, cJSON *o, const char *key);
/* NULL becomes null. */
void ib_put_text(bool *ok, cJSON *o, const char *key, const char *text);
/* NaN and infinity become null. */
void ib_put_number(bool *ok, cJSON *o, const char *key, double x);
/* A copy; NULL becomes null. */
void ib_put_copy(bool *ok, cJSON *o, const char *key, const cJSON *item);

/* Reading, by path of member names: NULL, NaN, when it is not there or not of
 * that type. */
const cJSON *ib_at(const cJSON *o, const char *key);
double ib_at_number(const cJSON *o, const char *key);
const char *ib_at_text(const cJSON *o, const char *key);

#endif
