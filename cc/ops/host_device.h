// A device that gives host memory to kernels, for tests.

#ifndef TF_VSINIT_CC_OPS_HOST_DEVICE_H_
#define TF_VSINIT_CC_OPS_HOST_DEVICE_H_

#include <string>
#include <utility>

#include "tensorflow/core/framework/allocator.h"
#include "tensorflow/core/framework/device_base.h"
#include "tensorflow/core/lib/core/threadpool.h"
#include "tensorflow/core/platform/env.h"

namespace tf_vsinit {

template <class Allocator>
class HostDevice : public tensorflow::DeviceBase {
 public:
  explicit HostDevice(std::string name)
      : DeviceBase(tensorflow::Env::Default()),
        name_(std::move(name)),
        threads_(env(), "test", 2) {
    workers_.num_threads = 2;
    workers_.workers = &threads_;
    set_tensorflow_cpu_worker_threads(&workers_);
  }

  const std::string& name() const override { return name_; }
  tensorflow::Allocator* GetAllocator(
      tensorflow::AllocatorAttributes) override {
    return &allocator_;
  }
  const Allocator& allocator() const { return allocator_; }

 private:
  const std::string name_;
  tensorflow::thread::ThreadPool threads_;
  CpuWorkerThreads workers_;
  Allocator allocator_;
};

}  // namespace tf_vsinit

#endif  // TF_VSINIT_CC_OPS_HOST_DEVICE_H_
