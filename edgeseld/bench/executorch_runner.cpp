// Runs one method of an ExecuTorch program: executorch_runner PROGRAM METHOD THREADS RUNS OUTPUT INPUT...
// Inputs are raw tensors in the method's order, one file each; OUTPUT gets all outputs of the last run one after the
// other. Prints one JSON line {"load_ms": ..., "runs_ms": [...]}; what is wrong goes to stderr, with exit code 1.
#include <executorch/extension/module/module.h>
#include <executorch/extension/tensor/tensor.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

// The wheel ships the library and no header for it.
namespace executorch::extension::threadpool {
class ThreadPool {
 public:
  bool _unsafe_reset_threadpool(uint32_t threads);
};
ThreadPool *get_threadpool();
}  // namespace executorch::extension::threadpool

using executorch::aten::SizesType;
using executorch::extension::Module;
using executorch::runtime::Error;
using executorch::runtime::EValue;
using Clock = std::chrono::steady_clock;

static double since_ms(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

static void require(Error error, const std::string &what) {
  if (error != Error::Ok) throw std::runtime_error(what + ": ExecuTorch error " + std::to_string(static_cast<int>(error)));
}

static std::vector<char> read_file(const std::string &path, size_t expected) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.size() != expected)
    throw std::runtime_error(path + " must hold " + std::to_string(expected) + " bytes, got " +
                             std::to_string(bytes.size()));
  return bytes;
}

static void write_outputs(const std::string &path, const std::vector<EValue> &outputs) {
  std::ofstream file(path, std::ios::binary);
  for (const EValue &value : outputs) {
    const auto &tensor = value.toTensor();
    file.write(static_cast<const char *>(tensor.const_data_ptr()), static_cast<std::streamsize>(tensor.nbytes()));
  }
  if (!file.flush()) throw std::runtime_error(path + " cannot be written");
}

static void run(const std::string &program, const std::string &method, uint32_t threads, int runs,
                const std::string &output, const std::vector<std::string> &files) {
  if (!executorch::extension::threadpool::get_threadpool()->_unsafe_reset_threadpool(threads))
    throw std::runtime_error("no pool of " + std::to_string(threads) + " threads");
  const auto loading = Clock::now();
  Module module(program);
  require(module.load_method(method), "loading " + method + " of " + program);
  const double load_ms = since_ms(loading);

  const auto meta = module.method_meta(method);
  require(meta.error(), "reading " + method);
  if (meta->num_inputs() != files.size())
    throw std::runtime_error(method + " takes " + std::to_string(meta->num_inputs()) + " inputs, got " +
                             std::to_string(files.size()));
  std::vector<std::vector<char>> bytes;
  std::vector<executorch::extension::TensorPtr> tensors;
  std::vector<EValue> inputs;
  for (size_t i = 0; i < files.size(); ++i) {
    const auto tensor = meta->input_tensor_meta(i);
    require(tensor.error(), "reading the inputs of " + method);
    bytes.push_back(read_file(files[i], tensor->nbytes()));
    const std::vector<SizesType> sizes(tensor->sizes().begin(), tensor->sizes().end());
    tensors.push_back(executorch::extension::from_blob(bytes.back().data(), sizes, tensor->scalar_type()));
    inputs.emplace_back(tensors.back());
  }

  std::vector<double> runs_ms;
  for (int i = 0; i < runs; ++i) {
    const auto started = Clock::now();
    const auto outputs = module.execute(method, inputs);
    runs_ms.push_back(since_ms(started));
    require(outputs.error(), "running " + method);
    if (i + 1 == runs) write_outputs(output, *outputs);
  }
  std::printf("{\"load_ms\": %.3f, \"runs_ms\": [", load_ms);
  for (size_t i = 0; i < runs_ms.size(); ++i) std::printf("%s%.3f", i ? ", " : "", runs_ms[i]);
  std::printf("]}\n");
}

int main(int count, char **arguments) {
  if (count < 6) {
    std::fprintf(stderr, "usage: %s PROGRAM METHOD THREADS RUNS OUTPUT INPUT...\n", arguments[0]);
    return 1;
  }
  try {
    run(arguments[1], arguments[2], static_cast<uint32_t>(std::atoi(arguments[3])), std::atoi(arguments[4]),
        arguments[5], {arguments + 6, arguments + count});
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
