// Initialises the variables of a SavedModel without Python, and prints values.
//
//   saved_model_server LIBRARIES SAVED_MODEL STEP...
//
// It uses only TensorFlow's C API. Like any server, it loads the op library,
// tf_vsinit/_vsinit_ops_2_21.so for TensorFlow 2.21, before the SavedModel. For
// a GPU, give both libraries:
// tf_vsinit/_vsinit_ops_2_21.so,tf_vsinit/_vsinit_gpu_2_21.so. Then it takes
// the steps in turn:
//
//   NAME=1,0   feeds the int64 vector [1, 0] to NAME in all later steps
//   NAME       runs the operation NAME; if it has outputs, prints the first
//
// `saved_model_cli show --all --dir SAVED_MODEL` prints the names that belong
// to each signature; VARIABLE/Read/ReadVariableOp reads a variable.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tensorflow/c/c_api.h"

namespace {

template <auto Delete>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Delete(object);
  }
};

using Graph = std::unique_ptr<TF_Graph, Deleter<TF_DeleteGraph>>;
using SessionOptions =
    std::unique_ptr<TF_SessionOptions, Deleter<TF_DeleteSessionOptions>>;
using Tensor = std::unique_ptr<TF_Tensor, Deleter<TF_DeleteTensor>>;

// The status of one call of the C API.
class Status {
 public:
  operator TF_Status*() { return status_.get(); }

  // Throws if the call failed.
  void Check() const {
    if (TF_GetCode(status_.get()) != TF_OK) {
      throw std::runtime_error(TF_Message(status_.get()));
    }
  }

 private:
  std::unique_ptr<TF_Status, Deleter<TF_DeleteStatus>> status_{TF_NewStatus()};
};

// Registers the op, or its GPU kernels, until the process ends. A SavedModel
// that uses the op loads only after this.
void LoadLibrary(const std::string& path) {
  Status status;
  // The handle only lists the ops; deleting it does not unload the library.
  TF_DeleteLibraryHandle(TF_LoadLibrary(path.c_str(), status));
  status.Check();
}

// A SavedModel in a session. Loading runs its main_op, if it has one.
class SavedModel {
 public:
  explicit SavedModel(const char* directory) {
    const SessionOptions options(TF_NewSessionOptions());
    const char* const tags[] = {"serve"};
    Status status;
    session_.reset(TF_LoadSessionFromSavedModel(
        options.get(), /*run_options=*/nullptr, directory, tags, /*tags_len=*/1,
        graph_.get(), /*meta_graph_def=*/nullptr, status));
    status.Check();
  }

  void Feed(const std::string& name, const std::vector<int64_t>& values) {
    const int64_t extent = static_cast<int64_t>(values.size());
    const size_t bytes = values.size() * sizeof(int64_t);
    Tensor tensor(TF_AllocateTensor(TF_INT64, &extent, /*num_dims=*/1, bytes));
    std::memcpy(TF_TensorData(tensor.get()), values.data(), bytes);
    feeds_.push_back({Operation(name), 0});
    feed_tensors_.push_back(tensor.get());
    feed_owners_.push_back(std::move(tensor));
  }

  // Runs an operation and returns its first output, null if it has none.
  Tensor Run(const std::string& name) {
    TF_Operation* const operation = Operation(name);
    const TF_Operation* const target = operation;
    const TF_Output fetch{operation, 0};
    const int fetches = TF_OperationNumOutputs(operation) > 0 ? 1 : 0;
    TF_Tensor* output = nullptr;
    Status status;
    TF_SessionRun(session_.get(), /*run_options=*/nullptr, feeds_.data(),
                  feed_tensors_.data(), static_cast<int>(feeds_.size()), &fetch,
                  &output, fetches, &target, /*ntargets=*/1,
                  /*run_metadata=*/nullptr, status);
    status.Check();
    return Tensor(output);
  }

 private:
  struct CloseSession {
    void operator()(TF_Session* session) const {
      Status status;
      TF_CloseSession(session, status);
      TF_DeleteSession(session, status);
    }
  };

  TF_Operation* Operation(const std::string& name) const {
    TF_Operation* found = TF_GraphOperationByName(graph_.get(), name.c_str());
    if (found == nullptr) {
      throw std::runtime_error("the SavedModel has no operation " + name);
    }
    return found;
  }

  Graph graph_{TF_NewGraph()};
  std::unique_ptr<TF_Session, CloseSession> session_;
  std::vector<TF_Output> feeds_;
  std::vector<TF_Tensor*> feed_tensors_;
  std::vector<Tensor> feed_owners_;
};

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, ',');) {
    words.push_back(word);
  }
  return words;
}

std::vector<int64_t> ParseIntegers(const std::string& text) {
  std::vector<int64_t> values;
  for (const std::string& word : SplitAtCommas(text)) {
    values.push_back(std::stoll(word));
  }
  return values;
}

// Prints float32 or float64 values with all the digits that restore their bits.
template <typename T>
void PrintValues(const TF_Tensor* tensor) {
  const T* values = static_cast<const T*>(TF_TensorData(tensor));
  for (int64_t i = 0; i < TF_TensorElementCount(tensor); ++i) {
    std::printf(" %.*g", std::numeric_limits<T>::max_digits10, values[i]);
  }
}

void Print(const std::string& name, const TF_Tensor* tensor) {
  std::printf("%s [", name.c_str());
  for (int axis = 0; axis < TF_NumDims(tensor); ++axis) {
    std::printf(axis == 0 ? "%lld" : ", %lld",
                static_cast<long long>(TF_Dim(tensor, axis)));
  }
  std::printf("]:");
  switch (TF_TensorType(tensor)) {
    case TF_FLOAT:
      PrintValues<float>(tensor);
      break;
    case TF_DOUBLE:
      PrintValues<double>(tensor);
      break;
    default:
      std::printf(" (neither float32 nor float64)");
  }
  std::printf("\n");
}

void TakeStep(const std::string& step, SavedModel* model) {
  const size_t equals = step.find('=');
  if (equals != std::string::npos) {
    model->Feed(step.substr(0, equals), ParseIntegers(step.substr(equals + 1)));
  } else if (const Tensor output = model->Run(step)) {
    Print(step, output.get());
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s LIBRARIES SAVED_MODEL STEP...\n", argv[0]);
    return EXIT_FAILURE;
  }
  for (const std::string& path : SplitAtCommas(argv[1])) LoadLibrary(path);
  SavedModel model(argv[2]);
  for (int i = 3; i < argc; ++i) TakeStep(argv[i], &model);
  return EXIT_SUCCESS;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
  return EXIT_FAILURE;
}
