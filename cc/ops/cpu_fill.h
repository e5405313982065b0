// Fills host memory with what a call draws, on the threads of the CPU device.

#ifndef TF_VSINIT_CC_OPS_CPU_FILL_H_
#define TF_VSINIT_CC_OPS_CPU_FILL_H_

#include "cc/cpu/parallel/batch_fill.h"
#include "cc/cpu/parallel/pool_fill.h"
#include "cc/ops/arguments.h"
#include "cc/ops/draw.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/lib/core/threadpool.h"

namespace tf_vsinit {

// Fills `output`, a tensor of the shape and dtype of the call.
inline void FillOnCpu(const CheckedCall& call,
                      tensorflow::OpKernelContext* context,
                      tensorflow::Tensor* output) {
  if (output->NumElements() == 0) return;
  const Draw& draw = call.draw;
  const BatchFill fill({draw.distribution, draw.stream, draw.limit_or_stddev,
                        ToElementType(output->dtype()), draw.BoxOf(call.rows),
                        call.seeds, output->data()});
  const auto& workers = *context->device()->tensorflow_cpu_worker_threads();
  FillInPool(fill, workers.num_threads, *workers.workers);
}

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_CPU_FILL_H_
