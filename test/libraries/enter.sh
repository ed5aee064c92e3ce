# Runs a command with other files in the place of the system's, in a mount namespace of its own: begin it with
# `unshare --mount sh enter.sh`. What the programs find there is what they would find on a machine that has these.
#
#     enter.sh [--over FOLDER FOLDERS] [--at FILE FILE] … -- COMMAND…
#
#     --over FOLDER FOLDERS   lays folders (a:b, the first on top) over a folder; a character device 0/0 hides a file
#     --at PATH FILE          puts a file or folder in the place of another
set -e
while [ "$1" != -- ]; do
  case "$1" in
    --over) mount -t overlay -o "lowerdir=$3:$2" overlay "$2" ;;
    --at) mount --bind "$3" "$2" ;;
    *)
      echo "enter.sh: what is $1?" >&2
      exit 99
      ;;
  esac
  shift 3
done
shift
# A stack of mounts, as careless programs leave it, would show every pin as often.
if [ -n "$OWN_BPFFS" ]; then
  while umount /sys/fs/bpf 2> /dev/null; do :; done
  mount -t bpf bpf /sys/fs/bpf
fi
exec "$@"
