# Sourced by ./pants and .ci/run: which Python to use, and pip's settings for the tools that do not
# read pip's files.

# find_python VERSION prints a CPython of that version that can make virtual environments.
find_python() {
  local candidate
  local test="import ssl, sys, venv, ensurepip; sys.exit(
    sys.implementation.name != 'cpython' or '%d.%d' % sys.version_info[:2] != '$1')"
  # The one on PATH may be a stand-in of pyenv's that only says that it is not there.
  while IFS= read -r candidate; do
    if [ -x "$candidate" ] && "$candidate" -c "$test" >/dev/null 2>&1; then
      printf '%s\n' "$candidate"
      return
    fi
  done < <(
    type -aP "python$1"
    ls -d "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/"python$1" 2>/dev/null
    type -P uv >/dev/null && uv python find "$1" 2>/dev/null
  )
  return 1
}

# need_python VERSION prints one too; asks uv for it where there is none, or says what to do.
need_python() {
  if find_python "$1"; then return; fi
  if type -P uv >/dev/null; then
    printf '%s\n' "No CPython $1 with venv here: asking uv for one." >&2
    uv python install --quiet "$1" >&2 || true
    if find_python "$1"; then return; fi
  fi
  printf '%s\n' "error: CPython $1 with its venv module is needed: install python$1 or uv." >&2
  return 1
}

# read_index_settings PYTHON sets, from that Python's pip: index_urls, index_added ("+" where they
# come on top of the default one, as with pip), find_links and certificate.
read_index_settings() {
  index_urls="" index_added="" find_links=""
  certificate="${SSL_CERT_FILE:-${REQUESTS_CA_BUNDLE:-}}"
  local key value index="" extra=""
  # Sorted so that the environment's (:env:) come last and win over the files', as with pip.
  while IFS='=' read -r key value; do
    value=${value#\'} value=${value%\'}
    value=${value//\\n/ }
    case $key in
      *.extra-index-url) extra=$value ;;
      *.index-url) index=$value ;;
      *.find-links) find_links=$value ;;
      *.cert) certificate=$value ;;
    esac
  done < <("$1" -m pip config list 2>/dev/null | sort -r)
  [ -n "$index" ] || index_added="+"
  index_urls="$index $extra"
}
