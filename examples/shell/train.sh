#!/bin/sh
# Logistic regression by gradient descent with momentum, in awk.
# Usage: train.sh [--learning-rate R] [--momentum M] [--l2 L] [--batch-size B] [--epochs N]
# Prints the loss on held-out rows after each epoch.
set -eu

learning_rate=0.1 momentum=0 l2=0 batch_size=32 epochs=27
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || { echo "train.sh: $1 needs a value" >&2; exit 2; }
    case $1 in
        --learning-rate) learning_rate=$2 ;;
        --momentum) momentum=$2 ;;
        --l2) l2=$2 ;;
        --batch-size) batch_size=$2 ;;
        --epochs) epochs=$2 ;;
        *) echo "train.sh: unknown argument $1" >&2; exit 2 ;;
    esac
    shift 2
done

export LC_ALL=C # a point, not a comma, in numbers
exec awk -v rate="$learning_rate" -v momentum="$momentum" -v l2="$l2" \
    -v batch="$batch_size" -v epochs="$epochs" '
# Numbers in [0, 1): the generator of Park and Miller, as every awk has its own rand().
function uniform() { state = state * 16807 % 2147483647; return state / 2147483647 }
function normal(   i, sum) { for (i = 0; i < 12; i++) sum += uniform(); return sum - 6 }

# The log-odds of row i, clipped where exp() would leave the range of numbers.
function score(i,   j, z) {
    for (j = 0; j < FEATURES; j++) z += weight[j] * x[i, j]
    return z > 500 ? 500 : (z < -500 ? -500 : z)
}

# Rows of which the features differ in scale and every tenth label is wrong.
function generate(   i, j, z) {
    for (j = 0; j < FEATURES; j++) truth[j] = normal()
    for (i = 0; i < ROWS; i++) {
        z = 0
        for (j = 0; j < FEATURES; j++) {
            x[i, j] = normal() / sqrt(1 + j)
            z += truth[j] * x[i, j]
        }
        y[i] = (z > 0) != (uniform() < 0.1)
    }
}

# One step of gradient descent on rows first to last - 1.
function descend(first, last,   i, j, error, gradient) {
    for (i = first; i < last; i++) {
        error = 1 / (1 + exp(-score(i))) - y[i]
        for (j = 0; j < FEATURES; j++) gradient[j] += error * x[i, j]
    }
    for (j = 0; j < FEATURES; j++) {
        speed[j] = momentum * speed[j] - rate * (gradient[j] / (last - first) + l2 * weight[j])
        weight[j] += speed[j]
    }
}

# The mean log loss on the rows that are not trained on.
function loss(   i, z, sum) {
    for (i = TRAINED; i < ROWS; i++) {
        z = y[i] ? score(i) : -score(i)
        sum += z > 0 ? log(1 + exp(-z)) : log(1 + exp(z)) - z
    }
    return sum / (ROWS - TRAINED)
}

BEGIN {
    FEATURES = 20; ROWS = 1500; TRAINED = 1000; state = 1
    generate()
    for (epoch = 1; epoch <= epochs; epoch++) {
        for (first = 0; first < TRAINED; first += batch)
            descend(first, first + batch < TRAINED ? first + batch : TRAINED)
        printf "epoch=%d loss=%.6f\n", epoch, loss()
        fflush() # the tuner sees each epoch as it ends
    }
}'
