#include "moments.h"

#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>

#include "step.h"

namespace lightning {

Tensors decayed_descent(const Partition& partition, const Decay& decay) {
  if (!decay.decoupled) return descent(partition, decay.maximize, decay.weight_decay);
  if (decay.weight_decay != 0) at::_foreach_mul_(partition.parameters, 1 - decay.lr * decay.weight_decay);
  return descent(partition, decay.maximize, /*weight_decay=*/0);
}

void average(const Tensors& exp_avgs, const Tensors& exp_avg_sqs, const Tensors& gradients, double beta1, double beta2) {
  at::_foreach_lerp_(exp_avgs, gradients, 1 - beta1);
  at::_foreach_mul_(exp_avg_sqs, beta2);
  at::_foreach_addcmul_(exp_avg_sqs, gradients, gradients, 1 - beta2);
}

}  // namespace lightning
