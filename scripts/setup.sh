#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the system packages that Kasane needs and that are missing. Says what and why; does nothing, and needs
# no network, where they are all there.
set -euo pipefail

if ! command -v swift >/dev/null 2>&1; then
  echo "Kasane needs a Swift 6.3 toolchain, and there is no swift on the PATH: get it from https://www.swift.org/install" >&2
  exit 1
fi

case "$(uname -s)" in
  Linux)
    missing=()
    have() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }
    need() { # package, why
      if ! have "$1"; then
        echo "Missing: $1 ($2)"
        missing+=("$1")
      fi
    }
    if ! command -v dpkg-query >/dev/null 2>&1; then
      echo "This is no Debian or Ubuntu: install the development files of oneDNN, zlib, libcurl, libpng and SentencePiece, the GNU OpenMP library, libjpeg-turbo and MeCab with a dictionary yourself." >&2
      exit 0
    fi
    need libdnnl-dev "oneDNN: matrix products and convolutions"
    need libgomp1 "the threads that oneDNN and Kasane's kernels run on"
    need zlib1g-dev "zlib: compressed data sets"
    need libcurl4-openssl-dev "libcurl: downloads of data sets"
    need ca-certificates "the certificates that downloads are checked by"
    need libpng-dev "libpng: images"
    need libturbojpeg0 "libjpeg-turbo: photographs"
    need libsentencepiece-dev "SentencePiece: pieces of words"
    need libmecab2 "MeCab: the words of Japanese text"
    need mecab-ipadic-utf8 "its dictionary"
    if [ ${#missing[@]} -gt 0 ]; then
      run=()
      if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
          echo "To install them, run as root: apt-get install ${missing[*]}" >&2
          exit 1
        fi
        run=(sudo)
      fi
      echo "Installing: ${missing[*]}"
      "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
      "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
    fi
    ;;
  Darwin)
    if ! command -v brew >/dev/null 2>&1; then
      echo "Kasane needs oneDNN, which Homebrew installs: get Homebrew from https://brew.sh" >&2
      exit 1
    fi
    for formula in onednn libpng jpeg-turbo sentencepiece mecab mecab-ipadic; do
      if ! brew list "$formula" >/dev/null 2>&1; then
        echo "Installing with Homebrew: $formula"
        brew install "$formula"
      fi
    done
    ;;
esac
