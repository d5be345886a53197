#!/bin/sh
# tools/embed.sh FILE.schema.json...: a C table of the JSON schemas, by name
# ("results" for results/results.schema.json), for the program to check with.
set -eu
cd "$(dirname "$0")/.."
echo '/* Made by tools/embed.sh. */'
echo 'struct ib_schema_row { const char *name, *text; };'
echo 'extern const struct ib_schema_row ib_schema_rows[];'
echo 'const struct ib_schema_row ib_schema_rows[] = {'
for f in "$@"; do
    printf '    {"%s",\n' "$(basename "$f" .schema.json)"
    sed 's/\\/\\\\/g; s/"/\\"/g; s/^/     "/; s/$/\\n"/' "$f"
    echo '    },'
done
echo '    {0, 0},'
echo '};'
