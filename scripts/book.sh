#!/usr/bin/env bash
# Builds the pages in docs/, README.md and its neighbours as a book in target/book, which opens from disk, and checks every link of it.
#
#   scripts/book.sh                 builds and checks; installs mdbook into target/tools if there is none
#   scripts/book.sh --if-possible   the same; where mdbook is missing and cannot be had, says so in a line
#   scripts/book.sh --source URL    links to sources lead to URL instead of into this clone
#   scripts/book.sh --self-test     does the check find what is wrong?
set -euo pipefail

# shellcheck source=scripts/toolchain.sh
source "$(dirname "${BASH_SOURCE[0]}")/toolchain.sh"
cd "$REPO"

MDBOOK_VERSION=0.5.4
PAGES=target/book-pages
BOOK=target/book
# Pages beside docs/, and what they are called in the book.
OUTSIDE=(README.md=index.md CHANGELOG.md=changelog.md CONTRIBUTING.md=contributing.md SECURITY.md=security.md)

# Prints the mdbook to use: one of the pinned line on PATH, else the one installed here.
find_mdbook() {
    local candidate
    for candidate in "$(command -v mdbook || true)" "$TOOLS/bin/mdbook"; do
        if [[ -x $candidate && $("$candidate" --version 2>/dev/null) == "mdbook v${MDBOOK_VERSION%.*}."* ]]; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

install_mdbook() {
    echo "installing mdbook $MDBOOK_VERSION into target/tools (two and a half minutes of processor time, once)" >&2
    # A target directory of its own lets an interrupted build go on where it stopped.
    CARGO_NET_RETRY=1 cargo install mdbook --version "$MDBOOK_VERSION" --locked --no-default-features --features search \
        --root "$TOOLS" --target-dir "$TOOLS/build-mdbook" --quiet || return
    rm -rf "$TOOLS/build-mdbook"
}

# Writes the page $1 of the repository into $PAGES as $2. Links to other pages of the book follow them; others lead to the source, under $3
# or, if that is empty, in the clone that the book is in.
stage() {
    mkdir -p "$(dirname "$PAGES/$2")"
    awk -v from="$1" -v to="$2" -v url="$3" -v outside="${OUTSIDE[*]}" '
        BEGIN {
            n = split(outside, pairs, " ")
            for (i = 1; i <= n; i++) { split(pairs[i], pair, "="); named[pair[1]] = pair[2] }
            folder = from; if (!sub(/[^\/]*$/, "", folder)) folder = ""
            up = to; gsub(/[^\/]+\//, "../", up); sub(/[^\/]*$/, "", up)
        }
        # The path in the repository that a link means.
        function resolved(path,   parts, kept, n, m, i, out) {
            n = split(folder path, parts, "/"); m = 0
            for (i = 1; i <= n; i++) {
                if (parts[i] == "" || parts[i] == ".") continue
                if (parts[i] == "..") m--
                else kept[++m] = parts[i]
            }
            for (i = 1; i <= m; i++) out = out (i > 1 ? "/" : "") kept[i]
            return out
        }
        function led(target,   hash, path) {
            if (target ~ /^[a-z]+:/ || target ~ /^#/) return target
            hash = ""; path = target
            if (match(path, /#.*/)) { hash = substr(path, RSTART); path = substr(path, 1, RSTART - 1) }
            path = resolved(path)
            if (path in named) return up named[path] hash
            if (path == "docs/SUMMARY.md") return up "toc.html"
            if (path ~ /^docs\/.*\.(md|svg|png)$/) return up substr(path, 6) hash
            if (path == "docs/decisions") return up "decisions.md" hash
            return (url == "" ? up "../../" : url "/") path hash
        }
        # The titles of pages, from the list of all.
        FILENAME == "docs/SUMMARY.md" && FNR == NR {
            if (match($0, /\[.*\]\([a-z-]+\.md\)/)) {
                split(substr($0, RSTART + 1, RLENGTH - 2), pair, /\]\(/)
                titles[pair[2]] = pair[1]
            }
            next
        }
        /^ *```/ { code = !code }
        code { print; next }
        {
            line = $0; out = ""
            while (match(line, /\]\([^) ]+\)/)) {
                start = RSTART; size = RLENGTH
                said = substr(line, 1, start - 1)
                # A link that says a page by its file says it by its title.
                if (match(said, /\[(docs\/)?[a-z-]+\.md$/)) {
                    page = substr(said, RSTART + 1); sub(/^docs\//, "", page)
                    if (page in titles) said = substr(said, 1, RSTART) titles[page]
                }
                out = out said "](" led(substr(line, start + 2, size - 3)) ")"
                line = substr(line, start + size)
            }
            print out line
        }' docs/SUMMARY.md "$1" >"$PAGES/$2"
}

# Prints what is wrong with the links of the pages in the folder $1: files that are not there, headings that are not in them, and anything
# that a page would have to fetch. Then fails.
check_pages() {
    local root=$1 wrong
    wrong=$(
        find "$root" -name '*.html' -print0 | xargs -0 grep -HoE ' (id|href|src)="[^"]*"' | awk -v root="$root" '
            function normal(path,   parts, kept, n, m, i, out) {
                n = split(path, parts, "/"); m = 0
                for (i = 1; i <= n; i++) {
                    if (parts[i] == "" && i > 1 || parts[i] == ".") continue
                    if (parts[i] == ".." && m > 0 && kept[m] != "..") m--
                    else kept[++m] = parts[i]
                }
                for (i = 1; i <= m; i++) out = out (i > 1 ? "/" : "") kept[i]
                return out
            }
            {
                at = index($0, ": "); file = substr($0, 1, at - 1); rest = substr($0, at + 2)
                kind = rest; sub(/=.*/, "", kind)
                value = rest; sub(/^[a-z]+="/, "", value); sub(/"$/, "", value); gsub(/&amp;/, "\\&", value)
                if (kind == "id") { ids[file "#" value] = 1; next }
                if (value ~ /^(https?:)?\/\//) { if (kind == "src") print file ": fetches " value; next }
                if (value ~ /^(data|mailto|javascript):/ || value == "") next
                hash = ""; path = value
                if (match(path, /#.*/)) { hash = substr(path, RSTART); path = substr(path, 1, RSTART - 1) }
                sub(/\?.*/, "", path)
                if (path == "") path = file
                else { folder = file; sub(/[^\/]*$/, "", folder); path = normal(folder path) }
                n++; who[n] = file; whither[n] = path; heading[n] = hash; said[n] = value
            }
            END {
                for (i = 1; i <= n; i++) {
                    if (!(whither[i] in there)) there[whither[i]] = system("test -e \"" whither[i] "\"") == 0
                    if (!there[whither[i]]) print who[i] ": nothing at " said[i]
                    else if (heading[i] != "" && heading[i] != "#" && whither[i] ~ /\.html$/ && !((whither[i] heading[i]) in ids))
                        print who[i] ": no heading " said[i]
                }
                print n > "/dev/stderr"
            }' 2>"$root/.links"
        # What style sheets fetch.
        find "$root" -name '*.css' -print0 | xargs -0 -r grep -HoE 'url\([^)]*https?:[^)]*\)' | sed 's/:url/: fetches url/' || true
    )
    [[ -z $wrong ]] && return
    printf '%s\n' "$wrong" | sed 's/^/book.sh: /' >&2
    return 1
}

source_url=
if_possible=false
while (($#)); do
    case "$1" in
        --if-possible) if_possible=true ;;
        --source)
            source_url=${2:?book.sh: --source needs a URL}
            source_url=${source_url%/}
            shift
            ;;
        --self-test)
            folder=$(mktemp -d)
            trap 'rm -rf "$folder"' EXIT
            mkdir "$folder/good" "$folder/bad"
            echo '<h1 id="one"><a href="#one">1</a></h1> <a href="b.html#two">2</a> <a href="https://nowhere.invalid">3</a>' >"$folder/good/a.html"
            echo '<h1 id="two"><img src="../good/a.html"></h1>' >"$folder/good/b.html"
            echo '<a href="none.html">1</a> <a href="#none">2</a> <a href="../good/b.html#two">3</a> <script src="https://nowhere.invalid/x.js">' >"$folder/bad/a.html"
            check_pages "$folder/good" || { echo "book.sh: finds faults where there are none" >&2 && exit 1; }
            # The page of the other folder is there, but its headings are not part of this book.
            found=$(check_pages "$folder/bad" 2>&1 | wc -l) || true
            ((found == 4)) || { echo "book.sh: finds $found faults of 4" >&2 && exit 1; }
            exit
            ;;
        *)
            sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            [[ $1 == --help ]] && exit
            exit 2
            ;;
    esac
    shift
done

if ! mdbook=$(find_mdbook); then
    if ! install_mdbook || ! mdbook=$(find_mdbook); then
        if $if_possible; then
            echo "the book was not built: mdbook is missing, and cargo could not install it"
            exit
        fi
        echo "book.sh: mdbook is missing: cargo install mdbook --version $MDBOOK_VERSION --locked" >&2
        exit 1
    fi
fi

rm -rf "$PAGES" "$BOOK"
mkdir -p "$PAGES"
for page in docs/*.md docs/decisions/*.md; do
    stage "$page" "${page#docs/}" "$source_url"
done
for pair in "${OUTSIDE[@]}"; do
    stage "${pair%=*}" "${pair#*=}" "$source_url"
done
cp -r docs/book.toml docs/images docs/theme "$PAGES"

# It says a line for each phase; what matters are warnings.
if ! said=$("$mdbook" build "$PAGES" --dest-dir "$REPO/$BOOK" 2>&1) || grep -qE 'WARN|ERROR' <<<"$said"; then
    printf '%s\n' "$said" >&2
    exit 1
fi
check_pages "$BOOK"
printf '%s/index.html: %s pages, %s links\n' "$BOOK" "$(find "$PAGES" -name '*.md' ! -name SUMMARY.md | wc -l)" "$(<"$BOOK/.links")"
rm -f "$BOOK/.links"
