# The world in which the manual's examples run: eth0 and eth1 lead into the namespaces left and right, and some maps and a
# program are pinned under plain names. Network namespace, mounts and all that is in them are this process's own and go
# with it: begin it with `unshare --mount --net`. Arguments: a shell command line, and what it is given.
set -e

set_up() {
  mount -t sysfs sysfs /sys
  mount -t bpf bpf /sys/fs/bpf
  mount -t tracefs tracefs /sys/kernel/tracing
  mount -t tmpfs tmpfs /run/netns
  # No IPv6 chatter, which would be counted as frames.
  echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
  ip -batch - <<'WORDS'
netns add left
netns add right
link set lo up
link add eth0 index 2 address 02:00:00:00:00:02 type veth peer name peer0 address 02:00:00:00:00:10 netns left
link add eth1 index 3 address 02:00:00:00:00:03 type veth peer name peer1 address 02:00:00:00:00:11 netns right
link set eth0 up
link set eth1 up
WORDS
  for side in left:peer0 right:peer1; do
    namespace=${side%:*} peer=${side#*:}
    ip -n $namespace link set $peer up
    nsenter --net=/run/netns/$namespace ethtool -K $peer gro on tx off
  done
  cat > updates.txt <<'WORDS'
# two more ways out
map update pinned forward key 1 value dev eth1
map update pinned forward key 2 value dev eth0
map lookup pinned forward key 2
WORDS
  cat > mistake.txt <<'WORDS'
map update pinned forward key 1 value dev eth1
map update pinned forward key 64 value dev eth1
map update pinned forward key 2 value dev eth1
WORDS
  cat > forward.json <<'WORDS'
{
  "xdpctl": 1,
  "map": {"type": "devmap", "bytes_key": 4, "bytes_value": 8},
  "entries": [{"key": 0, "value": {"dev": "eth1"}}, {"key": 5, "value": {"dev": "eth1"}}]
}
WORDS
  echo '{"xdpctl": 1, "redirects": [{"dev": "eth0", "to": ["eth1"]}]}' > redirects.json
  cp "$BPF_OBJECTS/redirect_devmap.bpf.o" router.bpf.o
  # bpftool, so that a fault of xdpctl cannot hide here.
  bpftool batch file - <<WORDS
map create /sys/fs/bpf/forward type devmap key 4 value 8 entries 64 name forward
map create /sys/fs/bpf/cpus type cpumap key 4 value 8 entries 2 name cpus
map create /sys/fs/bpf/sockets type xskmap key 4 value 4 entries 4 name sockets
map create /sys/fs/bpf/sessions type hash key 4 value 8 entries 1024 name sessions
map update pinned /sys/fs/bpf/forward key 0 0 0 0 value 3 0 0 0 0 0 0 0
map update pinned /sys/fs/bpf/cpus key 0 0 0 0 value 192 0 0 0 0 0 0 0
map pin pinned /sys/fs/bpf/sessions /sys/fs/bpf/sessions2
map update pinned /sys/fs/bpf/sessions key 1 0 0 0 value 10 0 0 0 0 0 0 0
prog load $BPF_OBJECTS/egress_devmap.bpf.o /sys/fs/bpf/egress
prog load $BPF_OBJECTS/pass.bpf.o /sys/fs/bpf/quiet
WORDS
}

# What an example is given besides: see Example in src/cli/verb.ts.
give() {
  case "$1" in
    attached) xdpctl redirect attach eth0 --to eth1 ;;
    linked)
      xdpctl redirect attach eth0 --to eth1 --link
      xdpctl link pin "$(find /sys/fs/bpf/xdpctl -name link)" uplink
      ;;
    losing)
      nsenter --net=/run/netns/right ethtool -K peer1 gro off
      xdpctl redirect attach eth0 --to eth1
      ;;
  esac
}

log=$(set_up 2>&1 && give "$2" 2>&1) || {
  echo "$log" >&2
  exit 99
}
background=
case "$2" in
  arriving | losing)
    nsenter --net=/run/netns/left node "$SCRIPTS/send-frames.mjs" peer0 --count 3000 --interval 10 > /dev/null &
    background=$!
    while [ "$(cat /sys/class/net/eth0/statistics/rx_packets)" = 0 ]; do sleep 0.01; done
    ;;
  bound)
    mkfifo ready
    xdpctl xsk bind eth0 --queue 0 --map /sys/fs/bpf/sockets --duration 30s > /dev/null 2> ready &
    background=$!
    # Kept open, or the command would be killed at its next word.
    exec 3< ready
    while read -r line <&3; do case "$line" in ready:*) break ;; esac done
    ;;
  *) exec sh -c "$1" ;;
esac
set +e
sh -c "$1"
status=$?
kill $background
wait
exit $status
