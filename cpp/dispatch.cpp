#include "dispatch.hpp"

#include <cstdlib>
#include <stdexcept>

namespace replank {
namespace {

// Those that this machine can run, the fastest first.
std::vector<const KernelTable*> runnable() {
  std::vector<const KernelTable*> tables;
#if REPLANK_X86
  // these ask the operating system, too, whether it saves the wide registers
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("fma")) {
    tables.push_back(&avx512::table());
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    tables.push_back(&avx2::table());
  }
#endif
  tables.push_back(&baseline::table());
  return tables;
}

const KernelTable& chosen() {
  const char* wanted = std::getenv("REPLANK_ISA");
  const std::vector<const KernelTable*> tables = runnable();
  if (wanted == nullptr || *wanted == '\0') {
    return *tables.front();
  }
  std::string allowed;
  for (const KernelTable* table : tables) {
    if (std::string(wanted) == table->isa) {
      return *table;
    }
    allowed += (allowed.empty() ? "" : ", ") + std::string(table->isa);
  }
  throw std::invalid_argument("REPLANK_ISA: the instruction set must be one of those of this machine (" + allowed +
                              "), got REPLANK_ISA=" + wanted + ". Unset it for the fastest.");
}

}  // namespace

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (const KernelTable* table : runnable()) {
    names.emplace_back(table->isa);
  }
  return names;
}

const KernelTable& kernels() {
  static const KernelTable& table = chosen();
  return table;
}

}  // namespace replank
