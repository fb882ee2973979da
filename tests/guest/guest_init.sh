#!/bin/busybox sh
# The guest's first and only program. The kernel's messages go to the first serial line; the second one is for the
# host, which sends a line "NUMBER COMMAND" and gets the command's output and "done NUMBER EXITCODE".

/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev

# All but the driver under test: the host loads that one when it is ready to look.
while read -r module; do
  [ "$module" = virtio_crypto.ko ] || insmod "/modules/$module"
done </modules/order

# The default has no room for a request in more than about 28 pieces.
echo 4194304 >/proc/sys/net/core/optmem_max

stty -F /dev/ttyS1 raw -echo
exec 3<>/dev/ttyS1
echo "ready $(uname -r)" >&3

while read -r number command <&3; do
  sh -c "$command" </dev/null >&3 2>&1
  code=$?
  # On a line of its own, whatever the output ended with.
  printf '\ndone %s %s\n' "$number" "$code" >&3
done
