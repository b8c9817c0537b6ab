# run.sh: what `./dev test` runs, area by area, and the sum. Sourced by ./dev.
# shellcheck shell=bash disable=SC2154,SC2016
#
# Every area ends with `count NAME PASSED FAILED SKIPPED`; a failing area does not keep the others
# from running.

areas=(lint format cppcheck unit valgrind system crash fuzz package tidy)
results=$root/build-test/results

count() {
    printf '%s %s %s %s\n' "$1" "$2" "$3" "${4:-0}" >>"$results/sum"
    printf -- '-- %s: %s passed, %s failed, %s skipped (%s s)\n' "$1" "$2" "$3" "${4:-0}" "$((SECONDS - area_began))"
}

# check NAME COMMAND…: one check that passes or fails as a whole.
check() {
    local name=$1
    shift
    if "$@"; then count "$name" 1 0; else count "$name" 0 1; fi
}

# junit NAME FILE STATUS: counts a JUnit file; a runner that failed without a failed case counts as one.
junit() {
    local sum
    sum=$($python "$root/tests/lint/junit.py" "$2" "$3") || sum="0 1 0"
    # shellcheck disable=SC2086
    count "$1" $sum
}

area_lint() {
    local status=0
    $python "$root/tests/lint/lint.py" || true
    $python -m pytest -q -p no:cacheprovider "$root/tests/lint" --junitxml "$results/lint.xml" --tb=no -q >"$results/lint.log" 2>&1 || status=$?
    [ $status = 0 ] || tail -5 "$results/lint.log"
    junit lint "$results/lint.xml" $status
    check shellcheck shellcheck "$root/dev" "$root/tests/lint/run.sh" "$root/.ci/run"
}

# The files that differ, each once; silence is clean.
unformatted() {
    cd "$root" && sources '*.c' '*.h' | xargs -0 clang-format-14 --dry-run -Werror 2>&1 | grep -E 'error:' | cut -d: -f1 |
        sort | uniq -c
}

area_format() {
    local files
    files=$(unformatted)
    [ -z "$files" ] || printf '%s\n' "$files"
    check format test -z "$files"
}

area_tidy() { check clang-tidy "$python" "$root/tests/lint/tidy.py" "$root/build" "$jobs"; }

area_cppcheck() {
    check cppcheck bash -c 'cd "$0" && cppcheck --quiet --std=c11 --enable=warning,performance,portability \
        --inline-suppr --suppressions-list=.cppcheck-suppressions --error-exitcode=1 --inconclusive -D_GNU_SOURCE \
        --max-configs=4 --include=tests/lint/cppcheck.h -j "$1" --template="{file}:{line}: {id}: {message}" -I. -Iconnectors -Iqueue \
        conf connectors queue desk daemon' "$root" "$jobs"
}

area_unit() {
    local status=0
    ctest --test-dir "$root/build-test" --output-on-failure --timeout 180 -j "$jobs" --output-junit "$results/unit.xml" \
        >"$results/unit.log" 2>&1 || status=$?
    [ $status = 0 ] || grep -vE '^ *[0-9]+/[0-9]+ .*Passed|^ +Start' "$results/unit.log" | tail -150
    junit unit "$results/unit.xml" $status
}

# Parsers, pure functions and the register under valgrind, unsanitized: what finds faults that ASan does
# not (uninitialised memory). Not the programs that wait for servers, measure time, or load modules
# (the dynamic linker's own strncmp reads by words).
valgrind_programs() {
    local program
    for program in "$root"/build/tests/test_*; do
        case ${program##*/} in
        test_kit_* | test_message | test_conf_* | test_policy_* | test_email_* | test_desk_case | test_whatsapp_verify | \
            test_whatsapp_send | test_whatsapp_fetch | test_instagram_* | test_graph_* | test_daemon_address | test_daemon_verdict | test_daemon_outbox | test_gateway_http | test_gateway_record)
            if [ -f "$program" ]; then printf '%s\0' "$program"; fi
            ;;
        esac
    done
}

one_valgrind() {
    local log=$2/valgrind-${1##*/}.log
    if timeout 120 valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
        --suppressions="$3" --child-silent-after-fork=yes "$1" >"$log" 2>&1; then
        echo passed
    else
        echo "failed ${1##*/} ($?)"
        grep -E '^==|FAILED|ERROR' "$log" | head -30
    fi
}

area_valgrind() {
    local out=$results/valgrind.out
    export -f one_valgrind
    valgrind_programs | xargs -0 -r -P "$jobs" -I '{}' bash -c 'one_valgrind "$@"' - '{}' "$results" "$root/tests/lint/valgrind.supp" >"$out"
    grep -v '^passed$' "$out"
    count valgrind "$(grep -c '^passed$' "$out")" "$(grep -c '^failed ' "$out")"
}

# Files of tests run side by side: they mostly wait for servers, and ask for ports from ranges of their own.
side_by_side=3

pytest_area() {
    local name=$1 status=0
    shift
    if [ $# -eq 0 ]; then return 0; fi
    ADUAN_BUILD=${tested_build:-$root/build-test} ADUAN_RELEASE=$root/build $python -m pytest -q -p no:cacheprovider --timeout 300 -rfEs --tb=short --durations=5 \
        -n "$side_by_side" --dist loadfile --junitxml "$results/$name.xml" "$@" >"$results/$name.log" 2>&1 || status=$?
    if [ $status = 5 ]; then status=0; fi # nothing collected
    [ $status = 0 ] || grep -vE '^[.sFEx]+ +\[' "$results/$name.log" | tail -150
    grep -E '^SKIPPED|^[0-9.]+s (call|setup)' "$results/$name.log" || true
    junit "$name" "$results/$name.xml" $status
}

# Sanitized; but what looks at the fences, and at the unit file under a real systemd, needs the real thing:
# the sanitizers want what these forbid.
area_system() {
    local all release
    mapfile -t all < <(find "$root/tests/system" -name 'test_*.py' ! -name 'test_crash*' ! -name test_daemon_boot.py | sort)
    mapfile -t release < <(grep -lE 'SANITIZED' "${all[@]}" /dev/null; ls "$root"/tests/system/test_daemon_boot.py 2>/dev/null)
    pytest_area system "${all[@]}"
    area_began=$SECONDS
    tested_build=$root/build pytest_area system-release "${release[@]}"
}

area_crash() {
    mapfile -t files < <(find "$root/tests" -name 'test_crash*.py' 2>/dev/null | sort)
    pytest_area crash "${files[@]}"
}

# The libraries under the targets are instrumented, too; nothing else is built.
fuzz_tree() {
    local dir=$root/build-fuzz flags="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all"
    mkdir -p "$dir"
    {
        cmake -S "$root" -B "$dir" -G Ninja -DCMAKE_C_COMPILER=clang-14 -DADUAN_FUZZ=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo \
            -DCMAKE_C_FLAGS="$flags" -DCMAKE_C_FLAGS_RELWITHDEBINFO="-O1 -g" &&
            mapfile -t targets < <(ninja -C "$dir" -t targets all | grep -oE '^fuzz_[a-z0-9_]+: phony' | sed 's/:.*//' | sort -u) &&
            ninja -C "$dir" -j "$jobs" "${targets[@]}"
    } >"$dir/build.log" 2>&1 || { grep -A30 -E '^(FAILED|CMake Error|ninja: error)' "$dir/build.log" | head -80; return 1; }
}

# Each fuzz target over its seeds, then for a few seconds on its own.
area_fuzz() {
    local passed=0 failed=0 target seeds seconds=${ADUAN_FUZZ_SECONDS:-10}
    local targets=()
    if ! fuzz_tree; then
        count fuzz 0 1
        return
    fi
    while IFS= read -r target; do
        seeds=$root/tests/fuzz/seeds/${target##*/fuzz_}
        mkdir -p "$results/fuzz/${target##*/}"
        [ -d "$seeds" ] || seeds=
        # shellcheck disable=SC2086
        if (cd "$results/fuzz" && timeout $((seconds + 60)) "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=0 \
            "$results/fuzz/${target##*/}" $seeds) >"$results/fuzz.log" 2>&1; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "fuzz: ${target##*/}"
            tail -40 "$results/fuzz.log"
        fi
    done < <(find "$root/build-fuzz" -name 'fuzz_*' -type f -executable | sort)
    count fuzz $passed $failed
}

area_package() {
    local status=0
    package >"$results/package.log" 2>&1 || status=$?
    if [ $status = 0 ]; then $python "$root/tests/lint/package.py" "$root/build-package" >"$results/package.log" 2>&1 || status=$?; fi
    [ $status = 0 ] || tail -40 "$results/package.log"
    check package test $status = 0
}

run_tests() {
    set +e +o pipefail # a failing area is counted, it does not end the run
    local began=$SECONDS area wanted=("$@") failed
    [ ${#wanted[@]} -gt 0 ] || wanted=("${areas[@]}")
    mkdir -p "$results"
    exec 8>"$results/.lock"
    flock -n 8 || { echo "another ./dev test runs here; waiting for its end"; flock 8; }
    : >"$results/sum"
    for area in "${wanted[@]}"; do
        declare -F "area_$area" >/dev/null || { echo "no area \"$area\"; there are: ${areas[*]}" >&2; return 2; }
    done
    area_began=$SECONDS
    say "building"
    case " ${wanted[*]} " in
    *" unit "* | *" system "* | *" crash "*)
        # Its own flags: the default ones of RelWithDebInfo would switch assert() off. Two warnings that gcc gets
        # wrong under sanitizers are left to the other tree.
        tree build-test -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_FLAGS_RELWITHDEBINFO="-O2 -g -Wno-error=maybe-uninitialized -Wno-error=format-truncation" -DADUAN_SANITIZE=ON -DADUAN_STEPS=ON || count build-test 0 1 ;;
    esac
    case " ${wanted[*]} " in
    *" valgrind "* | *" system "* | *" tidy "* | *" crash "*)
        tree build -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_TESTING=ON || count build 0 1 ;;
    esac
    for area in "${wanted[@]}"; do
        say "$area"
        area_began=$SECONDS
        "area_$area" 8>&-
    done
    say "after $((SECONDS - began)) s"
    awk '{ p += $2; f += $3; s += $4 } END { printf "%d passed, %d failed", p, f; if (s) printf ", %d skipped", s; print "" }' "$results/sum"
    failed=$(awk '{ f += $3 } END { print f + 0 }' "$results/sum")
    [ "$failed" = 0 ]
}
