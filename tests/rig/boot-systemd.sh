#!/bin/bash
# boot-systemd.sh FILES TAG: boots this machine's own systemd as PID 1 of new namespaces.
#
# Its root is this machine's root under an overlay in memory with FILES copied on top, so nothing
# needs to be downloaded and nothing outside is changed. It gets sub-cgroups called TAG (cgroup v1),
# which the caller removes afterwards. Ends when that systemd ends.
set -e
FILES=$1 TAG=$2
for c in memory pids cpu cpuacct devices systemd; do
    p=$(awk -F: -v c=$c '$2 == c || $2 == "name=" c { print $3 }' /proc/self/cgroup)
    mkdir -p "/sys/fs/cgroup/$c$p/$TAG"
    echo $$ > "/sys/fs/cgroup/$c$p/$TAG/cgroup.procs"
done
# systemd also uses the unified hierarchy where it is mounted beside the others.
if [ -e /sys/fs/cgroup/unified/cgroup.procs ]; then
    p=$(awk -F: '$1 == "0" { print $3 }' /proc/self/cgroup)
    mkdir -p "/sys/fs/cgroup/unified$p/$TAG"
    echo $$ > "/sys/fs/cgroup/unified$p/$TAG/cgroup.procs"
fi
export FILES
exec unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup --propagation private bash -ec '
top=$(mktemp -d /tmp/aduan-boot-XXXXXX)
mount -t tmpfs -o mode=755,size=512m overlay "$top"
mkdir "$top/upper" "$top/work" "$top/root"
mount -t overlay -o lowerdir=/,upperdir="$top/upper",workdir="$top/work" overlay "$top/root"
cp -a "$FILES/." "$top/root/"
systemd-sysusers --root="$top/root" aduan.conf
cd "$top/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 cgroup sys/fs/cgroup
for c in memory pids cpu cpuacct devices; do
    mkdir -p sys/fs/cgroup/$c
    mount -t cgroup -o $c cgroup sys/fs/cgroup/$c
done
mkdir -p sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=1777 tmp tmp
mount -t tmpfs -o mode=755 dev dev
for n in null zero full random urandom tty; do
    touch dev/$n
    mount --bind /dev/$n dev/$n
done
mkdir -p dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ip link set lo up
systemd-tmpfiles --root="$top/root" --create aduan.conf
mkdir -p .old
pivot_root . .old
umount -l /.old
mount --make-rshared /
exec env -i container=aduan-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=aduan-test.target --log-target=console --show-status=no
'
