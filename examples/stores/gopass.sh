#!/bin/sh
# Keeps tokens in gopass (gopass.pw).
#
#   [store.default]
#   url = "exec:/usr/local/lib/sftoken/gopass.sh?arg=salesforce&get=1&check=1"
#
# The entry is salesforce/USERNAME, a sandbox's salesforce/USERNAME~sandbox.
#
# Needs gopass and a store that was set up (gopass setup). NOTE: Debian's package "gopass" is another program of the same
# name. With other folders than gopass's own, add env=PASSWORD_STORE_DIR to the URL. A key that is locked (status 11) and a
# git that does not answer (7) are tried again. The numbers are those of gopass's docs/exit-codes.md.
set -eu

username=${SFTOKEN_USERNAME-}
case $username in
    *[!A-Za-z0-9._@+\'-]*) echo "this username cannot be the name of an entry" >&2; exit 1 ;;
esac
entry=${1-salesforce}/$username
case ${SFTOKEN_ORG-} in sandbox) entry=$entry~sandbox ;; esac

try() {
    status=0
    gopass "$@" || status=$?
    case $status in
        0) ;;
        7 | 11) exit 75 ;;
        *) exit 1 ;;
    esac
}

case $SFTOKEN_ACTION in
    put) try insert --force "$entry" >/dev/null ;;
    get)
        # asked for first: what "show" does not find, it may search for and offer something like it
        entries=$(try ls --flat)
        if printf '%s\n' "$entries" | grep -Fqx -- "$entry"; then try show --password "$entry"; fi
        ;;
    check) try ls --flat >/dev/null ;;
esac
