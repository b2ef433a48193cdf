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

# listed FILE...: the names in package lists, without their comments.
listed() {
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@"
}

# missing PACKAGE...: those that Debian's package manager has not installed.
missing() {
    { dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' "$@" 2> /dev/null || true; } |
        sed -n 's/^installed //p' | sort -u | comm -13 - <(printf '%s\n' "$@" | sort -u)
}
