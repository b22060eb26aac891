#!/bin/sh
# A build as an execution. Run it as `runtail run --id build-17 -- sh build.sh`: every line is in the
# log, the exit code is the reason of its end. Or run `sh build.sh build-17` by itself: then only
# what `runtail log` is told is there, and the script ends the execution itself.
set -eu

own=${1:-}
id=${1:-$RUNTAIL_EXECUTION}

runtail log "$id" "compiling" --step compile --field target=release
echo "cc -O2 -o app app.c"
echo "warning: unused variable" >&2

# a step with its own output, as lines of the same execution
printf 'test 1 ok\ntest 2 ok\n' | runtail log "$id" - --step test

runtail log "$id" "built" --level info --step publish --field size=1204
if [ -n "$own" ]; then
    runtail log "$id" --finish completed
fi
