// Which instruction set's kernels are in use.
#pragma once

#include <string>
#include <vector>

#include "kernels.hpp"

namespace replank {

// Names of the instruction sets that this machine can run, the fastest first.
std::vector<std::string> available_isas();

// The kernels of the fastest instruction set, or of the one that the environment variable REPLANK_ISA names; chosen at
// the first call. Throws std::invalid_argument if this machine can't run that one or nothing has that name.
const KernelTable& kernels();

}  // namespace replank
