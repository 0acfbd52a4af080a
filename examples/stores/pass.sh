#!/bin/sh
# Keeps tokens in pass, the standard unix password manager.
#
#   [store.default]
#   url = "exec:/usr/local/lib/sftoken/pass.sh?arg=salesforce&get=1&check=1"
#
# The entry is salesforce/USERNAME, a sandbox's salesforce/USERNAME~sandbox. The token is all of it: lines that somebody
# wrote below are lost with the next one.
#
# Needs pass and a store that was set up (pass init). With another folder than ~/.password-store, add
# env=PASSWORD_STORE_DIR to the URL. To write, gpg needs the public key only; to read back (get=1), the secret key.
# Nobody is asked for a passphrase: a key that is locked is tried again, until somebody unlocks it. So is what git did not
# commit, where the store is a repository.
set -eu
export PASSWORD_STORE_GPG_OPTS="${PASSWORD_STORE_GPG_OPTS-} --pinentry-mode error"

username=${SFTOKEN_USERNAME-}
case $username in
    *[!A-Za-z0-9._@+\'-]*) echo "this username cannot be the name of an entry" >&2; exit 1 ;;
esac
entry=${1-salesforce}/$username
case ${SFTOKEN_ORG-} in sandbox) entry=$entry~sandbox ;; esac

later() {
    echo "$1" >&2
    exit 75
}

# For pass, gpg is quiet: it has the same words for a key that is locked and for one that is lost.
locked() {
    gpg --batch --pinentry-mode error --status-fd 3 --decrypt "$1" 3>&1 >/dev/null 2>&1 | grep -q pkdecrypt_failed
}

case $SFTOKEN_ACTION in
    put)
        pass insert --multiline --force "$entry" >/dev/null
        # pass ends with 0 whatever git said
        if left=$(pass git status --porcelain -- "$entry.gpg" 2>/dev/null) && [ -n "$left" ]; then
            later "$entry is stored, but git did not commit it: see git status in the store"
        fi
        ;;
    get)
        file=${PASSWORD_STORE_DIR:-$HOME/.password-store}/$entry.gpg
        [ -e "$file" ] || exit 0
        if shown=$(pass show "$entry"); then
            printf '%s\n' "$shown" | sed 1q
        elif locked "$file"; then
            later "the key is locked: unlock it, as with pass show $entry"
        else
            exit 1
        fi
        ;;
    check) pass ls >/dev/null ;;
esac
