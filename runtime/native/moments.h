// Functions that Adam and its variants share: two running averages of the gradient, and two kinds of weight decay.
#pragma once

#include "group.h"

namespace lightning {

struct Decay {
  double lr, weight_decay;
  bool decoupled, maximize;
};

// The gradients of `descent`. A decoupled decay is not part of them, and is applied to the parameters here.
Tensors decayed_descent(const Partition& partition, const Decay& decay);

// Moves the running averages of the gradients and of their squares.
void average(const Tensors& exp_avgs, const Tensors& exp_avg_sqs, const Tensors& gradients, double beta1, double beta2);

}  // namespace lightning
