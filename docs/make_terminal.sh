#!/bin/sh
# Make terminal.png, the picture in the README: a real terminal in which docrec reads the sample document.
#     docs/make_terminal.sh
# Needs docrec on the PATH, and Debian's packages xvfb, xterm, imagemagick and fonts-noto-cjk.
set -eu
cd "$(dirname "$0")/.."
export LANG=C.UTF-8 COLORTERM=truecolor COMMAND='docrec pdf examples/sample.pdf --mode force'
done=$(mktemp -u)
export done
xvfb-run -a -s '-screen 0 1400x900x24' sh -c '
    xterm -u8 -geometry 100x40 -fa "DejaVu Sans Mono" -fd "Noto Sans Mono CJK SC" -fs 11 -bg "#1d2021" -fg "#e6e2d8" -bw 12 +sb \
        -xrm "XTerm*cursorBlink: false" -e sh -c "printf \"\$ %s\n\" \"\$COMMAND\"; \$COMMAND; touch \"\$done\"; sleep 60" &
    until [ -e "$done" ]; do sleep 0.2; done
    sleep 1
    import -window root png:- | convert - -trim +repage -strip +dither -colors 128 docs/terminal.png
    kill $!
'
rm -f "$done"
