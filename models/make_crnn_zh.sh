#!/bin/sh
# Makes models/crnn-zh and models/crnn-zh-hant on a Debian machine:  models/make_crnn_zh.sh WORK_FOLDER [CORPUS_FOLDER]
#
# Fonts and technical prose come from Debian's and npm's packages, code and English from the Python library. CORPUS_FOLDER holds more
# Chinese text, a paragraph a line, plain or .xz. Needs docrec[train], torch, fonttools, brotli, npm and unzip; nineteen hours on two cores
# with AVX-512 and bfloat16. For crnn-zh-hant a part of that text is put into traditional characters, by OpenCC.
set -eu
work=$1
corpus=${2:-}
cd "$(dirname "$0")/.."
here=$PWD/models
mkdir -p "$work/deb" "$work/text" "$work/fonts" "$work/npm" "$work/more_fonts" "$work/last_fonts" "$work/latin_fonts" "$work/traditional"

apt-get install -y --no-install-recommends fonts-noto-cjk fonts-noto-cjk-extra fonts-wqy-microhei fonts-wqy-zenhei fonts-arphic-ukai \
    fonts-arphic-uming fonts-arphic-gbsn00lp fonts-arphic-gkai00mp fonts-arphic-bkai00mp fonts-arphic-bsmi00lp fonts-lxgw-wenkai \
    fonts-droid-fallback fonts-babelstone-han fonts-cns11643-kai fonts-cns11643-sung \
    fonts-cwtex-ming fonts-cwtex-kai fonts-cwtex-yen fonts-cwtex-heib fonts-cwtex-fs \
    fonts-liberation fonts-liberation2 fonts-dejavu fonts-lmodern fonts-texgyre fonts-urw-base35 fonts-freefont-ttf fonts-roboto \
    fonts-open-sans fonts-inconsolata fonts-hack fonts-firacode fonts-crosextra-carlito fonts-crosextra-caladea fonts-linuxlibertine \
    fonts-gfs-didot fonts-ebgaramond fonts-lato fonts-croscore opencc unicode-data
(cd "$work/deb" && apt-get download texlive-lang-chinese libreoffice-help-zh-cn libreoffice-help-zh-tw gimp-help-zh-cn manpages-zh fortunes-zh)
for package in "$work"/deb/*.deb; do
    dpkg -x "$package" "$work/deb/$(basename "$package" .deb)"
done
find "$work/deb" -name 'Fandol*.otf' -exec cp {} "$work/fonts" \;
find "$work/deb" -path '*/zh[-_]CN/*' \( -name '*.html' -o -path '*/man/*.gz' \) -exec cp --parents {} "$work/text" \;
find "$work/deb" -path '*/games/fortunes/*' ! -name '*.dat' -type f -exec cp {} "$work/text" \;
python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))' | while read -r library; do cp "$library"/*.py "$work/text"; done
find "$work/deb" -path '*/zh-TW/*' -name '*.html' | sort | awk 'NR % 3 == 0' | xargs cp --parents -t "$work/traditional"
find "$work/deb" -path '*/zh_TW/*' -path '*/man/*.gz' -exec cp --parents {} "$work/traditional" \;
first=0
for variant in ${corpus:+s2t s2tw s2hk}; do
    find "$corpus" -name '*.txt*' | sort | xargs xzcat -f | awk -v "first=$first" 'NR % 30 == first' | opencc -c $variant.json \
        > "$work/traditional/$variant.txt"
    first=$((first + 10))
done
cp /usr/share/common-licenses/GPL-3 /usr/share/common-licenses/Artistic "$work/text"

(cd "$work/npm" && for package in harmonyos-sans $(printf '@expo-google-fonts/%s ' zcool-xiaowei zcool-qingke-huangyou \
    chocolate-classical-sans biz-udmincho hina-mincho klee-one shippori-mincho yuji-syuku zen-old-mincho); do
    tar xzf "$(npm pack --silent "$package" | tail -n 1)"
    find package \( -name '*_400Regular.ttf' -o -name ShipporiMincho_700Bold.ttf \) -exec cp {} "$work/more_fonts" \;
    find package -name '*.zip' -exec unzip -joq {} '*/HarmonyOS_Sans_SC_Light.ttf' '*/HarmonyOS_Sans_SC_Regular.ttf' \
        '*/HarmonyOS_Sans_SC_Bold.ttf' -d "$work/more_fonts" \;
    rm -r package
done)

(cd "$work/npm" && for package in @fontpkg/alibaba-puhuiti-3-0 misans @chinese-fonts/sypxzs; do
    tar xzf "$(npm pack --silent "$package" | tail -n 1)"
    find package \( -name '*-45-Light.ttf' -o -name '*-55-Regular.ttf' -o -name '*-85-Bold.ttf' \) -exec cp {} "$work/last_fonts" \;
    case $package in
        misans) python3 "$here/join_webfont.py" "$work/last_fonts/MiSans-Regular.ttf" package/lib/Normal/MiSans-Regular*.woff2 ;;
        *sypxzs) python3 "$here/join_webfont.py" "$work/last_fonts/SYPXZS.ttf" package/dist/*/*.woff2 ;;
    esac
    rm -r package
done)

(cd "$work/npm" && for package in $(printf '@fontsource/%s ' iosevka jetbrains-mono source-code-pro cascadia-code roboto-mono ubuntu-mono \
    space-mono m-plus-1-code overpass-mono share-tech-mono anonymous-pro roboto-condensed fira-sans-condensed ubuntu-condensed \
    courier-prime fira-mono b612-mono nanum-gothic-coding); do
    tar xzf "$(npm pack --silent "$package" | tail -n 1)"
    find package \( -name '*-latin-400-*.woff2' -o -name '*-latin-700-normal.woff2' \) -exec cp {} "$work/latin_fonts" \;
    rm -r package
done)

train() {
    KERAS_BACKEND=torch docrec train --text "$work/text" ${corpus:+--text "$corpus"} --fonts /usr/share/fonts --fonts /usr/share/texmf/fonts \
        --fonts "$work/fonts" --precision mixed_bfloat16 "$@"
}
train --minutes 102 --run "$work/run" --model "$work/first"
train --fine-tune "$work/first" --steps 4400 --ctc-share 1 --ctc-rate 4e-4 --seed 2 --run "$work/run2" --model "$work/second"
train --fine-tune "$work/second" --steps 8056 --ctc-share 1 --ctc-rate 4e-4 --seed 5 --run "$work/run3" --model "$work/third"
train --fonts "$work/more_fonts" --fine-tune "$work/third" --steps 7443 --ctc-share 1 --ctc-rate 4e-4 --seed 6 --run "$work/run4" --model "$work/fourth"
train --fonts "$work/more_fonts" --fonts "$work/last_fonts" --fine-tune "$work/fourth" --blend 0.5 --steps 2641 --ctc-share 1 --ctc-rate 4e-4 \
    --seed 7 --run "$work/run5" --model "$work/fifth"
train --fonts "$work/more_fonts" --fonts "$work/last_fonts" --fine-tune "$work/fifth" --blend 0.5 --steps 7999 --ctc-share 1 --ctc-rate 4e-4 \
    --seed 8 --run "$work/run6" --model "$work/sixth"
train --fonts "$work/more_fonts" --fonts "$work/last_fonts" --fonts "$work/latin_fonts" --fine-tune "$work/sixth" --blend 0.5 --steps 8618 \
    --ctc-share 1 --ctc-rate 4e-4 --seed 9 --run "$work/run7" --model "$work/seventh"
train --fonts "$work/more_fonts" --fonts "$work/last_fonts" --fonts "$work/latin_fonts" --fine-tune "$work/seventh" --blend 0.5 --steps 6769 \
    --ctc-share 1 --ctc-rate 4e-4 --seed 11 --run "$work/run8" --model "$work/eighth"
train --fonts "$work/more_fonts" --fonts "$work/last_fonts" --fonts "$work/latin_fonts" --fine-tune "$work/eighth" --blend 0.5 --steps 11007 \
    --ctc-share 1 --ctc-rate 4e-4 --seed 12 --run "$work/run9" --model "$work/ninth"
train --fonts "$work/more_fonts" --fonts "$work/last_fonts" --fonts "$work/latin_fonts" --fine-tune "$work/ninth" --blend 0.5 --steps 10666 \
    --ctc-share 1 --ctc-rate 4e-4 --seed 13 --run "$work/run10" --model "$work/tenth"
train --fonts "$work/more_fonts" --fonts "$work/last_fonts" --fonts "$work/latin_fonts" --fine-tune "$work/tenth" --blend 0.5 --steps 6987 \
    --ctc-share 1 --ctc-rate 4e-4 --seed 14 --run "$work/run11" --model models/crnn-zh
python3 data/make_char_dict.py --traditional "$work/char_dict"
train --text "$work/traditional" --fonts "$work/more_fonts" --fonts "$work/last_fonts" --fonts "$work/latin_fonts" --fine-tune models/crnn-zh \
    -c "$work/char_dict/char_dict_cn.json" -o "$work/char_dict/ord_map_cn.json" --steps 2184 --ctc-share 1 --ctc-rate 4e-4 --seed 15 \
    --run "$work/run12" --model "$work/hant"
train --text "$work/traditional" --fonts "$work/more_fonts" --fonts "$work/last_fonts" --fonts "$work/latin_fonts" --fine-tune "$work/hant" \
    -c "$work/char_dict/char_dict_cn.json" -o "$work/char_dict/ord_map_cn.json" --steps 3028 --ctc-share 1 --ctc-rate 4e-4 --seed 16 \
    --run "$work/run13" --model models/crnn-zh-hant
