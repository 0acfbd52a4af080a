#!/bin/sh
# Keeps tokens in a database of KeePassXC.
#
#   [store.default]
#   url = "exec:/usr/local/lib/sftoken/keepassxc.sh?arg=/srv/tokens.kdbx&arg=/etc/sftoken/tokens.key&get=1&check=1"
#
# The entry is salesforce/USERNAME, a sandbox's salesforce/USERNAME~sandbox; the token is its password.
#
# Needs keepassxc-cli, flock (util-linux), and a database with a key file; a third arg= is a file with the database's
# password, if it has one. Both open the whole database: give it to nobody but sftoken's user, and use one that holds
# nothing else. A database or key that is not there (a disk not mounted), and one that another sftoken is writing, are tried
# again. Leave no unsaved changes in a window that has it open: KeePassXC would have two databases to merge.
set -eu

database=$1
key=$2
password=${3-}
group=salesforce
username=${SFTOKEN_USERNAME-}
case $username in
    *[!A-Za-z0-9._@+\'-]*) echo "this username cannot be the name of an entry" >&2; exit 1 ;;
esac
entry=$group/$username
case ${SFTOKEN_ORG-} in sandbox) entry=$entry~sandbox ;; esac

later() {
    echo "$1" >&2
    exit 75
}

# keepassxc-cli with the database's password, if any, as the first line of its input; ours follows.
cli() {
    command=$1
    shift
    if [ -z "$password" ]; then
        keepassxc-cli "$command" --quiet --no-password --key-file "$key" "$@"
    else
        { printf '%s\n' "$(sed 1q "$password")"; cat; } | keepassxc-cli "$command" --quiet --key-file "$key" "$@"
    fi
}

command -v keepassxc-cli >/dev/null || { echo "keepassxc-cli is not installed" >&2; exit 1; }
for file in "$database" "$key" ${password:+"$password"}; do
    [ -r "$file" ] || later "$file is not there, or cannot be read"
done
# keepassxc-cli reads all, changes, and writes all: of two at a time, one would be lost
exec 9>"$database.lock"
flock -w 10 9 || later "the database is being written by another sftoken"
# --quiet hides why a database does not open
if ! entries=$(cli ls --recursive --flatten "$database" </dev/null); then
    echo "keepassxc-cli does not open $database: is it this key, and this password?" >&2
    exit 1
fi
has() { printf '%s\n' "$entries" | grep -Fqx -- "$1"; }

case $SFTOKEN_ACTION in
    put)
        if has "$entry"; then
            cli edit --password-prompt "$database" "$entry"
        else
            has "$group/" || cli mkdir "$database" "$group" </dev/null
            cli add --username "$username" --password-prompt "$database" "$entry"
        fi >/dev/null
        ;;
    get)
        if has "$entry"; then
            cli show --show-protected --attributes Password "$database" "$entry" </dev/null
        fi
        ;;
    check) ;;
esac
