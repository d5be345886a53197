#include "json_put.h"

#include <math.h>

cJSON *ib_put(bool *ok, cJSON *o, const char *key, cJSON *item)
{
    bool added = o && item &&
                 (key ? cJSON_AddItemToObject(o, key, item)
                      : cJSON_AddItemToArray(o, item));
    if (added)
        return item;
    cJSON_Delete(item);
    *ok = false;
    return NULL;
}

cJSON *ib_put_object(bool *ok, cJSON *o, const char *key)
{
    return ib_put(ok, o, key, cJSON_CreateObject());
}

cJSON *ib_put_array(bool *ok, cJSON *o, const char *key)
{
    return ib_put(ok, o, key, cJSON_CreateArray());
}

void ib_put_text(bool *ok, cJSON *o, const char *key, const char *text)
{
    ib_put(ok, o, key, text ? cJSON_CreateString(text) : cJSON_CreateNull());
}

void ib_put_number(bool *ok, cJSON *o, const char *key, double x)
{
    ib_put(ok, o, key, ib_json_number(x));
}

void ib_put_copy(bool *ok, cJSON *o, const char *key, const cJSON *item)
{
    ib_put(ok, o, key, item ? cJSON_Duplicate(item, true) : cJSON_CreateNull());
}

const cJSON *ib_at(const cJSON *o, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(o, key);
}

double ib_at_number(const cJSON *o, const char *key)
{
    const cJSON *x = ib_at(o, key);
    return cJSON_IsNumber(x) ? x->valuedouble : NAN;
}

const char *ib_at_text(const cJSON *o, const char *key)
{
    const cJSON *x = ib_at(o, key);
    return cJSON_IsString(x) ? x->valuestring : NULL;
}
