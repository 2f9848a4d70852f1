#!/bin/sh
# `system.sh NODE FOLDER`: copies the operating system files that Node needs into a folder, without a shell or a package
# manager. NODE is the node binary; the libraries are those that it is linked with on this machine.
set -eu
node=$1
folder=$2
mkdir -p "$folder/usr/local/bin" "$folder/etc/ssl/certs" "$folder/var/lib/callpass" "$folder/tmp"
cp -L "$node" "$folder/usr/local/bin/node"
# A seventh of it is names for debuggers.
! command -v strip >/dev/null || strip "$folder/usr/local/bin/node"
ldd "$node" | grep -o '/[^ ]*' | while read -r library; do
  mkdir -p "$folder$(dirname "$library")"
  cp -L "$library" "$folder$library"
done
[ ! -f /etc/ssl/certs/ca-certificates.crt ] || cp -L /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/"
echo 'callpass:x:65532:65532:callpass:/var/lib/callpass:/nonexistent' >"$folder/etc/passwd"
echo 'callpass:x:65532:' >"$folder/etc/group"
echo 'hosts: files dns' >"$folder/etc/nsswitch.conf"
chown 65532:65532 "$folder/var/lib/callpass"
chmod 700 "$folder/var/lib/callpass"
chmod 1777 "$folder/tmp"
