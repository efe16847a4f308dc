# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Small libraries in a folder registry, and drivers that link them.

# library NAME VERSION [DEPENDENCY...]: a library project in $W/NAME whose function says its version.
library() {
  local name=$1 version=$2
  shift 2
  mkdir -p "$W/$name/include/acme" "$W/$name/src" "$W/$name/LICENSES"
  cp "$RUMPK_SDK/share/rumpk/licenses/Apache-2.0.txt" "$W/$name/LICENSES/"
  cat >"$W/$name/npl.kdl" <<KDL
package "acme/$name" version="$version" {
    kind "library"
    security-version ${SECURITY:-1}
    abi 1
    license "Apache-2.0"
    arch "riscv64" "x86_64"
}
KDL
  if [ $# != 0 ]; then
    echo 'dependencies {' >>"$W/$name/npl.kdl"
    for dependency in "$@"; do echo "    library \"acme/${dependency% *}\" \"${dependency#* }\"" >>"$W/$name/npl.kdl"; done
    echo '}' >>"$W/$name/npl.kdl"
  fi
  echo "const char *acme_$name(void);" >"$W/$name/include/acme/$name.h"
  echo "#include <acme/$name.h>
const char *acme_$name(void) { return \"$name-$version-here\"; }" >"$W/$name/src/$name.c"
}

# published NAME VERSION [DEPENDENCY...]: the same, put into the registry.
published() {
  library "$@"
  cp "$W/trust" "$W/$1/nip.trust.kdl"
  ok nip -C "$W/$1" publish --registry file:../reg
}

# A driver that calls one function of each library named, and a trust file for everything of acme.
driver() {
  new_hello
  sed -i 's/"aarch64" "riscv64" "x86_64"/"riscv64" "x86_64"/' npl.kdl
  cp "$W/trust" nip.trust.kdl
  uses "$@"
}

uses() {
  { echo '#include <npl/npl.h>'
    for name in "$@"; do echo "#include <acme/$name.h>"; done
    echo 'int npl_main(void) {'
    for name in "$@"; do echo "npl_print(acme_$name());"; done
    echo 'return 0; }'; } >src/main.c
}

# linked TEXT: it is in the driver.
linked() { grep -aq -- "$1" build/x86_64/driver.elf || { echo "not in the driver: $1"; return 1; }; }

begin() {
  make_key
  printf 'registry "reg" url="file:../reg"\npublisher "acme/*" key="%s"\n' "$(nip key show --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["keys"][0]["key"])')" >"$W/trust"
}
