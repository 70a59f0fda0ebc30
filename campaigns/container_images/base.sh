#!/usr/bin/env bash
# Makes the base image that docker/Dockerfile names, for a machine that reaches Debian's mirror and no image registry.
#   campaigns/container_images/base.sh [ENGINE]
set -euo pipefail
engine=${1:-podman}
folder=$(mktemp --directory)
trap 'rm --recursive --force "$folder"' EXIT
debootstrap --variant=minbase trixie "$folder/root"
# As in the official image: packages are deleted once installed, and manuals and translations are left out.
cat >"$folder/root/etc/apt/apt.conf.d/docker-clean" <<'END'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
END
cat >"$folder/root/etc/dpkg/dpkg.cfg.d/docker" <<'END'
path-exclude /usr/share/doc/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
END
rm --recursive --force "$folder"/root/usr/share/doc/* "$folder"/root/usr/share/locale/* "$folder"/root/usr/share/man/*
rm --recursive --force "$folder"/root/var/cache/apt/* "$folder"/root/var/lib/apt/lists/*
tar --directory="$folder/root" --create . | "$engine" import --change 'CMD ["bash"]' - docker.io/library/debian:trixie-slim
