// What Adam and its relatives share: two running averages of the gradient, and weight decay in two ways.
#pragma once

#include "group.h"

namespace lightning {

struct Decay {
  double lr, weight_decay;
  bool decoupled, maximize;
};

// The gradients as `descent` gives them. Decoupled, the decay is no part of them, and shortens the parameters here and now.
Tensors decayed_descent(const Partition& partition, const Decay& decay);

// Moves the running averages of the gradients and of their squares.
void average(const Tensors& exp_avgs, const Tensors& exp_avg_sqs, const Tensors& gradients, double beta1, double beta2);

}  // namespace lightning
