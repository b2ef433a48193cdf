# Words that the set-up scripts share; sourced, never run.

# fail SENTENCE: what is wrong and the mend, for the person at the keyboard.
fail() {
    echo "rexian: $*" >&2
    exit 1
}

# as_root COMMAND...: needs no password here, because scripts/setup asked for it before anything began.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo --non-interactive -- "$@"; fi
}

# with_node: puts the Node that builds the pages first in PATH: this machine's, if it is new enough for the builder (20.19 or
# newer), else the one in build/node; fails when there is neither.
with_node() {
    if ! { command -v node npm > /dev/null && node -e 'const [a, b] = process.versions.node.split(".").map(Number);
        process.exit(a > 22 || (a == 22 && b >= 12) || (a == 20 && b >= 19) ? 0 : 1)'; }; then
        [ -x build/node/bin/npm ] || return 1
        PATH="$PWD/build/node/bin:$PATH"
    fi
}

# listed FILE...: the names in package lists, without their comments.
listed() {
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@"
}

# missing PACKAGE...: those that Debian's package manager has not installed.
missing() {
    { dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' "$@" 2> /dev/null || true; } |
        sed -n 's/^installed //p' | sort -u | comm -13 - <(printf '%s\n' "$@" | sort -u)
}
