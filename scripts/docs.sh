#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the documentation into .build/documentation: the guides of Documentation/Kasane.docc and every public symbol.
# Fails where a link leads nowhere. Needs nothing but the toolchain.
set -euo pipefail
cd "$(dirname "$0")/.."

out=.build/documentation
graphs=.build/documentation-symbols
docc=$(command -v docc || true)
[ -n "$docc" ] || docc=$(xcrun --find docc)

swift package dump-symbol-graph --minimum-access-level public --skip-synthesized-members
found=$(find .build -path "$graphs" -prune -o -type d -name symbolgraph -print | head -n 1)
rm -rf "$graphs" "$out"
archives=()
for module in Kasane KasaneData KasaneModels KasaneRecipes; do
  mkdir -p "$graphs/$module"
  cp "$found/$module".symbols.json "$found/$module"@*.symbols.json "$graphs/$module" 2>/dev/null || true
  catalogue=()
  [ -d "Documentation/$module.docc" ] && catalogue=("Documentation/$module.docc")
  "$docc" convert "${catalogue[@]}" --additional-symbol-graph-dir "$graphs/$module" \
    --output-path "$graphs/$module.doccarchive" --fallback-display-name "$module" \
    --fallback-bundle-identifier "kasane.$module" 2>&1 | tee "$graphs/$module.log"
  if grep -q "doesn't exist at" "$graphs/$module.log"; then
    echo "A link of $module's documentation leads nowhere, see above" >&2
    exit 1
  fi
  archives+=("$graphs/$module.doccarchive")
done
"$docc" merge "${archives[@]}" --output-path "$out" --synthesized-landing-page-name Kasane
echo "The documentation is in $out; to read it, serve that folder: python3 -m http.server --directory $out"
