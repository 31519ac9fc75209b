#!/bin/sh
# From a folder of text and fonts to a model that is served:  examples/workshop.sh FOLDER [MINUTES]
# Trains for 4 minutes unless told otherwise. Needs docrec[train,serving].
set -eu
here=$(dirname "$0")
work=$1
minutes=${2:-4}

python "$here/make_workshop.py" "$work"
docrec dict "$work/texts" -c "$work/char_dict.json" -o "$work/ord_map.json"
alphabet="-c $work/char_dict.json -o $work/ord_map.json"
docrec train --text "$work/texts" --fonts "$work/fonts" $alphabet --minutes "$minutes" --channels 16,24,32,64,128 --lstm-units 64 \
    --warm-up 100 --run "$work/run" --model "$work/model"
docrec synth --text "$work/texts" --fonts "$work/fonts" $alphabet --seed 2 --count 300 --out "$work/lines"
docrec evaluate lines "$work/lines" --model "$work/model" --report "$work/report.html"
docrec export --to saved-model --model "$work/model" --lines "$here/sample.pdf" --out "$work/serving/docrec"
