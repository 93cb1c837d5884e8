# shellcheck shell=sh
# Sourced with $root set to the checkout. Gives $platform, $node, $stamp and the functions below.
# Nothing is installed before set_up is called.
: "${root:?}"

platform=$(uname -sm)
case $platform in
  MINGW* | MSYS* | CYGWIN*)
    echo 'elt: Windows is not supported; run it inside WSL (https://aka.ms/wsl).' >&2
    exit 1
    ;;
esac
platform=${platform%% *}-${platform##* }

# shellcheck disable=SC2034 # used by the scripts that source this one
node=$root/node_modules/.bin/node

# Little that this program makes is short-lived: 16 MB for young objects, the default, costs 50 MB and gains no time.
# shellcheck disable=SC2034
node_options='--disable-warning=ExperimentalWarning --max-semi-space-size=2'

# A byte copy of the lockfile: comparing it needs no hash tool. The platform in the name catches a checkout that
# a container and a Mac share. `npm ci` deletes node_modules first, so a set-up cut short leaves no stamp.
stamp=$root/node_modules/.elt-installed-$platform

is_set_up() {
  cmp -s "$root/package-lock.json" "$stamp"
}

# Runs a command while it holds the set-up's lock; waits if another process has it.
with_setup_lock() {
  if ! command -v python3 >/dev/null; then
    echo 'elt: python3 was not found; Python 3.10 to 3.13 is needed.' >&2
    return 1
  fi
  python3 "$root/scripts/with-lock.py" "$root/.setup.lock" 'elt: another set-up is running, waiting for it' "$@"
}

set_up() {
  is_set_up || with_setup_lock sh "$root/scripts/install.sh" "$root"
}

build_ui() {
  sh "$root/scripts/build-ui.sh"
}

# True if the arguments ask for help: `help` as the command, or -h/--help before a `--`.
asks_help() {
  case ${1-} in help) return 0 ;; esac
  for argument in "$@"; do
    case $argument in
      -h | --help) return 0 ;;
      --) return 1 ;;
    esac
  done
  return 1
}
